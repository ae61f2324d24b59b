package import Relay
import Synchronization

/// The outbox in one SQLite file, for one process on one node.
///
/// The working state is in memory, in a `Ledger`. What makes it durable is a log: one row for each accepted patch,
/// all that gathered in one commit. Off the hot path the log is folded into one row for each profile. After a crash
/// the rows and the log together give the ledger back: everything that was accepted, and at worst a delivery that is
/// made again.
package final class SQLiteOutbox: Outbox {
    private let mail = Condition(Mail())
    private let status: StoreStatus
    let path: String
    let settings: OutboxSettings
    private let ledger: SharedLedger
    private let onDue: @Sendable (String) -> Void

    /// Opens or creates the file, takes what it holds, and starts the store's thread. Blocks until then.
    /// - Parameters:
    ///   - path: the file; directories above it are made.
    ///   - onEvent: what a person should hear of. Called on threads of the store, and must return at once.
    ///   - onDue: something of the app is due that its consumer does not know of; called once until it claims.
    ///     Called on the store's thread or on that of who settles, and must return at once.
    package init(
        path: String, settings: OutboxSettings = OutboxSettings(),
        onEvent: @escaping @Sendable (OutboxEvent) -> Void = { _ in }, onDue: @escaping @Sendable (String) -> Void
    ) throws(OutboxOpenError) {
        self.path = path
        self.settings = settings
        self.onDue = onDue
        ledger = SharedLedger(Ledger(settings: settings))
        status = StoreStatus(onEvent: onEvent)
        let store = try Store(
            path: path, settings: settings, ledger: ledger, mail: mail, status: status, onEvent: onEvent,
            onDue: onDue)
        try startThread("outbox") { store.run() }
    }

    /// Whether a process has the file; asked without a lock of our own. One of a version before this one is not seen.
    package static func isHeld(_ path: String) -> Bool { OutboxLock.isHeld(path) }

    /// Without `close` the thread still finishes what it was given; nobody waits for it.
    deinit {
        mail.withLock { $0.isClosed = true }
    }

    package func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition] {
        try await ask(or: .failure(.closed)) { $0.appends.append(.init(submission: submission, answer: $1)) }.get()
    }

    package func recognize(_ submission: Submission) -> [Disposition]? {
        guard !submission.isAwaited, status.isWritable else { return nil }
        var needsHousekeeping = false
        let now = settings.clock()
        let dispositions: [Disposition]? = ledger.ifFree { ledger in
            let hadNewerTimes = !ledger.newerTimes.isEmpty
            defer { needsHousekeeping = !hadNewerTimes && !ledger.newerTimes.isEmpty }
            // They get no place in the order of arrival: nothing of them is kept.
            func arrival(_ patch: Patch) -> Arrival {
                Arrival(patch, of: submission, sequence: 0, mostAhead: settings.mostAhead)
            }
            if submission.patches.count == 1 {
                return ledger.recognize(arrival(submission.patches[0]), at: now)?.alone
            }
            // All of them or none: what is counted here is not to be counted again by an append.
            let arrivals = submission.patches.map(arrival)
            guard arrivals.allSatisfy({ ledger.knows($0, at: now) }) else { return nil }
            let dispositions = arrivals.compactMap { ledger.recognize($0, at: now) }
            return dispositions.count == arrivals.count ? dispositions : nil
        }
        // The store sleeps until there is something to do, and does not know of the first newer time.
        if needsHousekeeping { mail.withLock { $0.wantsHousekeeping = true } }
        return dispositions
    }

    /// At once where the store is not at it, and on the store's thread otherwise.
    package func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim {
        if let claim = claimAtOnce(limit, of: app, at: now, probe) { return claim }
        return await ask(or: Claim(deliveries: [], nextDue: nil, hasMore: false)) {
            $0.claims.append(.init(limit: limit, app: app, now: now, probe: probe, answer: $1))
        }
    }

    private func claimAtOnce(_ limit: Int, of app: String, at now: Timestamp, _ probe: ProbeOrder?) -> Claim? {
        // What was settled before is to be seen by it.
        guard status.settlementsInMail.load(ordering: .relaxed) == 0 else { return nil }
        return ledger.ifFree { $0.hasUncommitted ? nil : $0.claim(limit, of: app, at: now, probe: probe) }
    }

    package func settle(_ delivery: Delivery, as settlement: Settlement) {
        if settleAtOnce(delivery, as: settlement) { return }
        mail.withLock { mail in
            guard !mail.isClosed else { return }
            mail.settlements.append((delivery, settlement))
            status.settlementsInMail.add(1, ordering: .relaxed)
        }
    }

    /// What Adapty took needs no commit, and nobody to be woken: the profile's next row will say it.
    /// - Returns: whether it is done.
    private func settleAtOnce(_ delivery: Delivery, as settlement: Settlement) -> Bool {
        guard case .applied = settlement else { return false }
        var needsHousekeeping = false
        let due: Set<String>? = ledger.ifFree { ledger in
            let unfolded = ledger.unfolded.count
            guard ledger.settleUnlessWritten(delivery, as: settlement, at: settings.clock()) else { return nil }
            needsHousekeeping = unfolded == 0 || unfolded > settings.foldBacklog
            // The store tells when it is done with the commit.
            return ledger.hasUncommitted ? [] : ledger.takeAppsToTell()
        }
        guard let due else { return false }
        // The store sleeps until what it knows of is to be folded: not of the first, nor that it became much.
        if needsHousekeeping { mail.withLock { $0.wantsHousekeeping = true } }
        for app in due { onDue(app) }
        return true
    }

    package func census() async -> [Census] {
        await ask(or: []) { $0.censuses.append($1) }
    }

    package var isWritable: Bool { status.isWritable }

    /// Why it is not writable.
    var failure: OutboxFailure? { status.failure }

    /// Transactions since it was opened.
    package var commits: Int { status.commits.load(ordering: .relaxed) }

    /// Writes every changed profile to its row now, instead of when it is due.
    package func fold() async {
        await ask(or: ()) { $0.folds.append($1) }
    }

    /// Finishes what was asked before, folds, and closes the file; appends fail from now on. Returns when another
    /// process may open it; so it does for whoever closes it a second time.
    package func close() async {
        await withCheckedContinuation { answer in
            let isOver = mail.withLock { mail in
                guard !mail.isOver else { return true }
                mail.closes.append(answer)
                mail.isClosed = true
                return false
            }
            if isOver { answer.resume() }
        }
    }

    /// Puts a question into the mail and waits for its answer; a store that was closed takes none.
    func ask<Answer: Sendable>(
        or closed: Answer, _ put: (inout Mail, CheckedContinuation<Answer, Never>) -> Void
    ) async -> Answer {
        await withCheckedContinuation { answer in
            let isTaken = mail.withLock { mail in
                guard !mail.isClosed else { return false }
                put(&mail, answer)
                return true
            }
            if !isTaken { answer.resume(returning: closed) }
        }
    }
}
