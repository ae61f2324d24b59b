import Relay

// From claim to settlement: a profile has one delivery on its way, and what arrives meanwhile merges beside it.

extension Ledger {
    func claim(_ limit: Int, of name: String, at now: Timestamp) -> Claim {
        guard let app = apps[name] else { return Claim(deliveries: [], nextDue: nil, hasMore: false) }
        var deliveries: [Delivery] = []
        while deliveries.count < limit, let entry = app.popDue(at: now) {
            entry.state.place = .inFlight
            deliveries.append(
                Delivery(
                    app: name, profile: entry.profile, patch: entry.state.waiting.patch,
                    awaiting: entry.state.awaiting?.requests ?? [], attempts: Int(entry.state.attempts),
                    since: entry.state.since,
                    failingSince: entry.state.attempts > 0 ? entry.state.failingSince : nil,
                    origin: originName(entry.state.origin),
                    request: entry.state.request == Entry.State.noRequest ? nil : entry.state.request))
        }
        let (nextDue, hasMore) = app.tellNext(at: now)
        return Claim(deliveries: deliveries, nextDue: nextDue, hasMore: hasMore)
    }

    /// Ends a delivery. Returns the dead letter, if it became one. A delivery that is not on its way is ignored:
    /// settled already.
    func settle(_ delivery: Delivery, as settlement: Settlement, at now: Timestamp) -> DeadLetter? {
        entry(of: delivery.profile, in: delivery.app).flatMap { settle($0, delivery, as: settlement, at: now) }
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
    ) -> DeadLetter? {
        guard entry.state.place == .inFlight else { return nil }
        let sent = delivery.patch
        if case .released = settlement {
            unmark(IdentifierSet(sent), of: entry)
            answerLateWithNext(entry, keeping: delivery.awaiting)
            requeue(entry, at: now)
            return nil
        }
        // Who asked while the delivery was on its way was told nothing by it: what they asked for goes once more, at
        // once, unless something newer goes anyway.
        let isAskedAgain = entry.state.awaiting.map { !$0.late.isEmpty } ?? false
        var dead: DeadLetter?
        switch settlement {
        case .released: break
        case .applied(let at):
            let before = entry.state.waiting
            confirm(sent, of: entry, at: at)
            if isAskedAgain, !entry.state.isWaiting { entry.state.waiting = before }
            goOn(entry, at: at)
        case .dead(let at, let failure):
            let before = entry.state.waiting
            removeWaiting(sent, of: entry)
            if isAskedAgain, !entry.state.isWaiting {
                entry.state.waiting = before
            } else {
                dead = DeadLetter(delivery, origin: originName(entry.state.origin), failure: failure, at: at)
            }
            goOn(entry, at: at)
        case .missing(let retryAt, let failure, let told):
            if !isAskedAgain {
                // A caller that was gone by now was promised delivery: what it brought is kept.
                if told.count == delivery.awaiting.count { removeUnwanted(sent, of: entry) }
                unmark(IdentifierSet(sent), of: entry)
            }
            goLater(entry, at: isAskedAgain ? now : retryAt, failure, failed: now)
        case .retry(let at, let failure):
            goLater(entry, at: at, failure, failed: now)
            // It may still succeed while they wait.
            answerLateWithNext(entry, keeping: delivery.awaiting)
            markDirty(entry, from: nil, at: now)
            return nil
        }
        answerLateWithNext(entry, keeping: [])
        markDirty(entry, from: nil, at: now)
        return dead
    }

    /// What Adapty confirmed moves from waiting to applied; what is newer stays.
    private func confirm(_ sent: MergedPatch, of entry: Entry, at time: Timestamp) {
        for field in sent.fields {
            let waiting = entry.state.waiting[field.identifier]
            let newest = waiting?.sequence == field.sequence ? waiting ?? field : field
            entry.state.applied[field.identifier] = AppliedPatch.Field(field: newest, confirmed: time)
        }
        removeWaiting(sent, of: entry)
    }

    private func removeWaiting(_ sent: MergedPatch, of entry: Entry) {
        entry.state.waiting.remove { sent[$0.identifier]?.sequence == $0.sequence }
        unmark(IdentifierSet(sent).subtracting(entry.state.waiting.identifiers), of: entry)
    }

    /// Drops what nobody but callers brought who were told just now that there is no such profile.
    private func removeUnwanted(_ sent: MergedPatch, of entry: Entry) {
        guard let awaiting = entry.state.awaiting else { return }
        entry.state.waiting.remove { field in
            awaiting.only.contains(IdentifierSet(field.identifier))
                && sent[field.identifier]?.sequence == field.sequence
        }
    }

    /// After an end: nothing waits, or what is newer does, as if it had come just now.
    private func goOn(_ entry: Entry, at time: Timestamp) {
        endWait(of: entry)
        guard entry.state.isWaiting else { return }
        beginWait(of: entry, since: time)
        queueFresh(entry)
    }

    private func goLater(_ entry: Entry, at due: Timestamp, _ failure: Failure, failed now: Timestamp) {
        guard entry.state.isWaiting else { return endWait(of: entry) }
        if entry.state.attempts == 0 { entry.state.failingSince = now }
        entry.app.note(entry.state.attempts + 1, share(failure), of: entry)
        queueLater(entry, at: due)
    }

    private func requeue(_ entry: Entry, at now: Timestamp) {
        if entry.state.attempts == 0 { queueFresh(entry) } else { queueLater(entry, at: now) }
    }

    private func answerLateWithNext(_ entry: Entry, keeping requests: [UniqueID]) {
        guard let awaiting = entry.state.awaiting else { return }
        entry.state.awaiting = Awaiting(
            requests: requests + awaiting.late, only: entry.state.isWaiting ? awaiting.only : [])
    }
}
