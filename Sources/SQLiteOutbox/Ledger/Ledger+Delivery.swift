import Relay

// From claim to settlement: a profile has one delivery on its way, and what arrives meanwhile merges beside it.

extension Ledger {
    func claim(_ limit: Int, of name: String, at now: Timestamp, probe: ProbeOrder? = nil) -> Claim {
        guard let app = apps[name] else { return Claim(deliveries: [], nextDue: nil, hasMore: false) }
        var deliveries: [Delivery] = []
        while deliveries.count < limit, let entry = app.popDue(at: now, probe: probe) {
            entry.state.place = .inFlight
            deliveries.append(
                Delivery(
                    app: name, profile: entry.profile, patch: entry.state.patchToSend,
                    awaiting: entry.state.hasRare ? entry.state.rare.waiters : [],
                    attempts: Int(entry.state.attempts), since: entry.state.since,
                    failingSince: entry.state.attempts > 0 ? entry.state.failingSince : nil, claimed: now,
                    origin: originName(entry.state.origin),
                    request: entry.state.request == Entry.State.noRequest ? nil : entry.state.request))
        }
        let (nextDue, hasMore) = app.tellNext(at: now)
        return Claim(deliveries: deliveries, nextDue: nextDue, hasMore: hasMore)
    }

    /// Ends a delivery. Returns what became dead letters. A delivery that is not on its way is ignored: settled
    /// already.
    func settle(_ delivery: Delivery, as settlement: Settlement, at now: Timestamp) -> [DeadLetter] {
        guard let entry = entry(of: delivery.profile, in: delivery.app) else { return [] }
        return settle(entry, delivery, as: settlement, at: now)
    }

    /// The same for who is not the store's thread. False, and nothing done, where the profile is being written: what is
    /// in memory may be taken back, or must stay what is written.
    func settleUnlessWritten(_ delivery: Delivery, as settlement: Settlement, at now: Timestamp) -> Bool {
        guard let entry = entry(of: delivery.profile, in: delivery.app) else { return true }
        guard !entry.nodes.contains(.isUncommitted) else { return false }
        _ = settle(entry, delivery, as: settlement, at: now)
        return true
    }

    private func settle(
        _ entry: Entry, _ delivery: Delivery, as settlement: Settlement, at now: Timestamp
    ) -> [DeadLetter] {
        guard entry.state.place == .inFlight else { return [] }
        let sent = delivery.patch
        var dead: [DeadLetter] = []
        switch settlement {
        case .released:
            handBack(entry, delivery, at: now)
            return []
        case .abandoned(let until):
            noteUncertain(sent, until: until, of: entry)
            handBack(entry, delivery, at: now)
            // That it may be taken is in the row: a stop is what most of these are of.
            markDirty(entry, from: nil, at: now)
            return []
        case .retry(let at, let failure, let uncertainUntil):
            if let uncertainUntil { noteUncertain(sent, until: uncertainUntil, of: entry) }
            goLater(entry, at: at, failure, failed: now)
            // It may still succeed while they wait.
            answerNext(entry, keeping: delivery.awaiting)
        case .applied(let at):
            let fields = IdentifierSet(sent)
            let waiters = delivery.awaiting.filter { !$0.isAnswered(byApplying: fields) }
            let before = entry.state.waiting
            confirm(sent, of: entry, at: at)
            _ = askAgain(entry, before)
            resendAfterUncertain(delivery, of: entry)
            goOn(entry, at: at)
            answerNext(entry, keeping: waiters.map { $0.subtracting(fields) })
        case .rejected(let at, let rejection):
            dead = reject(entry, delivery, rejection, at: at)
        case .dead(let at, let failure):
            let before = entry.state.waiting
            let given = end(IdentifierSet(sent), of: sent, in: entry)
            let again = askAgain(entry, before)
            dead = given.filter { !again.contains($0.identifier) }.map {
                DeadLetter($0, delivery, origin: originName(entry.state.origin), failure, at: at)
            }
            goOn(entry, at: at)
            answerNext(entry, keeping: [])
        case .missing(let retryAt, let failure, let told):
            let isAskedAgain = entry.state.hasRare && !entry.state.rare.lateWaiters.isEmpty
            if !isAskedAgain {
                // A caller that was gone by now was promised delivery: what it brought is kept.
                if told.count == delivery.awaiting.count { removeUnwanted(sent, of: entry) }
                unmark(IdentifierSet(sent), of: entry)
            }
            goLater(entry, at: isAskedAgain ? now : retryAt, failure, failed: now)
            answerNext(entry, keeping: [])
        }
        markDirty(entry, from: nil, at: now)
        return dead
    }

    /// Nothing was learnt: it goes again as it was.
    private func handBack(_ entry: Entry, _ delivery: Delivery, at now: Timestamp) {
        unmark(IdentifierSet(delivery.patch), of: entry)
        answerNext(entry, keeping: delivery.awaiting)
        if entry.state.attempts == 0 { queueFresh(entry) } else { queueLater(entry, at: now) }
    }

    /// What Adapty confirmed moves from waiting to applied; what is newer stays.
    private func confirm(_ sent: MergedPatch, of entry: Entry, at time: Timestamp) {
        for field in sent.fields {
            let waiting = entry.state.waiting[field.identifier]
            let newest = waiting?.sequence == field.sequence ? waiting ?? field : field
            entry.state.applied[field.identifier] = AppliedPatch.Field(field: newest, confirmed: time)
        }
        _ = end(IdentifierSet(sent), of: sent, in: entry)
    }

    /// Some of the fields that were sent wait no more. Returns them, as far as nothing newer had come.
    private func end(_ fields: IdentifierSet, of sent: MergedPatch, in entry: Entry) -> [MergedPatch.Field] {
        var ended: [MergedPatch.Field] = []
        entry.state.waiting.remove { field in
            guard fields.contains(field.identifier), sent[field.identifier]?.sequence == field.sequence else {
                return false
            }
            ended.append(field)
            return true
        }
        if entry.state.hasRare {
            entry.state.rare.exclusive.subtract(fields.subtracting(entry.state.waiting.identifiers))
            entry.state.rare.isolated.subtract(fields)
        }
        return ended
    }

    /// Who asked while the delivery was on its way was told nothing by it: what they asked for goes once more, at once,
    /// unless something newer of it goes anyway.
    /// - Parameter before: what waited before the delivery ended.
    /// - Returns: the fields that go once more.
    private func askAgain(_ entry: Entry, _ before: PackedPatch) -> IdentifierSet {
        guard entry.state.hasRare, !entry.state.rare.lateWaiters.isEmpty else { return [] }
        let asked = entry.state.rare.lateWaiters.reduce(into: IdentifierSet()) { $0.formUnion($1.fields) }
            .subtracting(entry.state.waiting.identifiers)
        for field in before.patch.fields where asked.contains(field.identifier) { entry.state.waiting.merge(field) }
        return asked
    }

    /// Drops what nobody but callers brought who were told just now that there is no such profile.
    private func removeUnwanted(_ sent: MergedPatch, of entry: Entry) {
        guard entry.state.hasRare else { return }
        let exclusive = entry.state.rare.exclusive
        entry.state.waiting.remove { field in
            exclusive.contains(field.identifier) && sent[field.identifier]?.sequence == field.sequence
        }
    }

    /// After an end: nothing waits, or what is newer does, as if it had come just now.
    private func goOn(_ entry: Entry, at time: Timestamp) {
        endWait(of: entry)
        guard entry.state.isWaiting else { return }
        beginWait(of: entry, since: time)
        if let due = entry.state.dueAfterUncertain, due > time { return queueLater(entry, at: due) }
        queueFresh(entry)
    }

    private func goLater(_ entry: Entry, at due: Timestamp, _ failure: Failure, failed now: Timestamp) {
        guard entry.state.isWaiting else { return endWait(of: entry) }
        if entry.state.attempts == 0 { entry.state.failingSince = now }
        entry.app.note(entry.state.attempts + 1, share(failure), of: entry)
        queueLater(entry, at: due)
    }

    private func answerNext(_ entry: Entry, keeping waiters: [Waiter]) {
        guard entry.state.hasRare else { return }
        // What was asked for and waits no more is answered with whatever goes next.
        let waiting = entry.state.waiting.identifiers
        entry.state.rare.waiters = (waiters + entry.state.rare.lateWaiters).map {
            Waiter($0.request, $0.fields.intersection(waiting))
        }
        entry.state.rare.lateWaiters = []
        // Nothing goes that would answer them: they are told that it is kept when their wait is over.
        if !entry.state.isWaiting { (entry.state.rare.waiters, entry.state.rare.exclusive) = ([], []) }
    }
}

// MARK: - What Adapty refuses

extension Ledger {
    /// Only what is refused ends; the rest goes on at once.
    private func reject(
        _ entry: Entry, _ delivery: Delivery, _ rejection: FieldRejection, at time: Timestamp
    ) -> [DeadLetter] {
        let sent = IdentifierSet(delivery.patch)
        let told = delivery.callers(ofRejection: rejection)
        let waiters = delivery.awaiting.filter { !told.contains($0) }
        let since = entry.state.since
        var dead: [DeadLetter] = []
        if let refused = rejection.refused(of: sent) {
            // Those who asked for the same meanwhile hear it by an attempt of their own.
            let askedAgain = entry.state.rare.lateWaiters.reduce(into: IdentifierSet()) { $0.formUnion($1.fields) }
            let ended = end(refused.subtracting(askedAgain), of: delivery.patch, in: entry)
            entry.state.rare.isolated.subtract(refused)
            // What was refused here and never sent may do under another configuration: that is not remembered.
            let answer = rejection.failure.status == nil ? nil : share(rejection.remembered)
            for field in ended {
                let letter = DeadLetter(
                    field, delivery, origin: originName(entry.state.origin), rejection.failure, at: time,
                    answer: answer?.answer)
                dead.append(letter)
                guard let answer else { continue }
                let known = entry.state.rare.rejected(field.identifier)
                let isKnown = known?.field.value == field.value
                entry.state.rare.setRejected(
                    RejectedField(
                        field: field, answer: answer, count: 1 + (isKnown ? known?.count ?? 0 : 0),
                        first: isKnown ? known?.first ?? time : time, last: time))
            }
            resendAfterUncertain(delivery, of: entry)
        } else {
            entry.state.rare.isolated.formUnion(sent)
        }
        goOn(entry, at: since)
        answerNext(entry, keeping: waiters)
        return dead
    }
}

extension Entry.State {
    /// All that waits; one field of it where some of it was refused and nobody knows which.
    fileprivate var patchToSend: MergedPatch {
        let patch = waiting.patch
        guard hasRare, let alone = patch.fields.first(where: { rare.isolated.contains($0.identifier) }) else {
            return patch
        }
        return MergedPatch([alone])
    }
}

// MARK: - Attempts whose end nobody knows

extension Ledger {
    private func noteUncertain(_ sent: MergedPatch, until: Timestamp, of entry: Entry) {
        let fields = sent.fields.map { UncertainField(field: $0, until: until) }
        entry.state.rare.uncertain = Array((entry.state.rare.uncertain + fields).suffix(UncertainField.maxPerProfile))
    }

    /// Adapty may yet take an older value that was sent before: then what it holds by our account is sent once more
    /// when that cannot be any more. Where something waits anyway, that goes first.
    private func resendAfterUncertain(_ delivery: Delivery, of entry: Entry) {
        guard entry.state.hasRare, entry.state.rare.uncertainUntil != nil else { return }
        var rare = entry.state.rare
        let sent = IdentifierSet(delivery.patch)
        let applied = entry.state.applied
        rare.uncertain.removeAll { uncertain in
            guard uncertain.until <= delivery.claimed else { return false }
            let isSame = applied[uncertain.field.identifier]?.field.value == uncertain.field.value
            return isSame || sent.contains(uncertain.field.identifier)
        }
        if let until = rare.anyUncertainUntil, until <= delivery.claimed { rare.anyUncertainUntil = nil }
        entry.state.rare = rare
        guard !entry.state.isWaiting else { return }
        for known in applied.fields {
            let isOther = rare.uncertain.contains {
                $0.field.identifier == known.field.identifier && $0.field.value != known.field.value
            }
            if isOther || rare.anyUncertainUntil != nil { entry.state.waiting.merge(known.field) }
        }
    }
}

extension Entry.State {
    /// When all that waits is what is sent once more; nil where something else waits too.
    fileprivate var dueAfterUncertain: Timestamp? {
        guard hasRare, let until = rare.uncertainUntil else { return nil }
        for field in waiting.patch.fields where applied[field.identifier]?.field.sequence != field.sequence {
            return nil
        }
        return until
    }
}
