import GRDB
import Relay
import Synchronization

/// The store's thread: takes whatever gathered while the last commit ran, commits it together, then answers.
///
/// Whoever finds the ledger free may look and claim and settle too; only this thread merges what is new and writes, and
/// nobody claims while something is merged that is not durable.
final class Store {
    let settings: OutboxSettings
    private let shared: SharedLedger
    var ledger: Ledger { shared.ledger }
    let file: OutboxFile
    private var lock: OutboxLock?
    private let mail: Condition<Mail>
    let status: StoreStatus
    let checkpointer: Checkpointer
    private let onDue: @Sendable (String) -> Void
    let onEvent: @Sendable (OutboxEvent) -> Void
    let metrics = OutboxMetrics()

    var deadLetterCounts: [String: Int]
    /// The newest id of a profile's row.
    var lastRow: Int64
    /// The newest place in the log that was written. Newer ones may have been taken by commits that failed, and after a
    /// start are taken again.
    private(set) var logEnd: Int64
    /// Set where an earlier process did not say that it ended: attempts of its may be taken until then.
    private let trustedFrom: Timestamp?
    /// Something was committed since the mail was taken.
    var hasCommitted = false
    /// After a commit that a few shared: when the next one begins, however few wait for it.
    private var gatherUntil: ContinuousClock.Instant?
    /// Up to where the log is removed.
    var letGoThrough: Int64
    /// Settled, and not yet in the file.
    private(set) var deadLetters: [DeadLetter] = []
    /// Written since the write-ahead log last began anew, estimated.
    var logBytes = 0
    /// What the disk had when it was last asked.
    var room = Int.max
    /// Somebody reads an old state of the file, so the log cannot begin anew.
    var isLogHeld = false
    var checkpointDue = ContinuousClock.now
    /// A slice a while, since the oldest change was old enough.
    var isFolding = false
    var newerTimesDue: ContinuousClock.Instant
    var probeDue: ContinuousClock.Instant
    /// When the files are looked after next, though nothing is committed.
    var lookDue: ContinuousClock.Instant
    var trim: TrimState

    init(
        path: String, settings: OutboxSettings, ledger: SharedLedger, mail: Condition<Mail>, status: StoreStatus,
        onEvent: @escaping @Sendable (OutboxEvent) -> Void, onDue: @escaping @Sendable (String) -> Void
    ) throws(OutboxOpenError) {
        self.settings = settings
        shared = ledger
        self.mail = mail
        self.status = status
        self.onEvent = onEvent
        self.onDue = onDue
        try makeParents(of: path)
        let lock = try OutboxLock(of: path, patience: settings.lockPatience)
        file = try OutboxFile(path: path, watch: lock.watch, settings: settings)
        self.lock = lock
        (deadLetterCounts, lastRow, letGoThrough, trustedFrom) = try recover(ledger.ledger, from: file)
        do {
            try file.commit { try AcceptedRow.note(isClosed: false, in: $0) }
        } catch {
            throw OutboxOpenError(path: path, error)
        }
        logEnd = ledger.ledger.unfolded.last
        checkpointer = try Checkpointer(path: path, settings: settings, status: status) {
            mail.withLock { $0.wantsCheckpoint = true }
        }
        newerTimesDue = .now + settings.newerTimesAfter
        probeDue = .now
        lookDue = .now + settings.lookEvery
        trim = TrimState(due: .now + settings.trimEvery)
    }

    func run() {
        shared.hold()
        defer { shared.release() }
        tellConsumers()
        while true {
            let patience = patience
            let mail = shared.released { takeMail(within: patience) }
            hasCommitted = false
            serve(mail)
            if mail.isClosed {
                close()
                // Some may have come meanwhile.
                let late = self.mail.withLock { rest in
                    rest.isOver = true
                    return exchange(&rest.closes, with: [])
                }
                for close in mail.closes + late { close.resume() }
                return
            }
            keepHouse()
        }
    }

    /// What has come, or nothing after so long. After a commit that a few shared more are let come first.
    private func takeMail(within patience: Duration?) -> Mail {
        guard let end = gatherUntil else {
            return mail.wait(for: patience, until: { !$0.isEmpty }, take: { $0.takeAll() })
        }
        gatherUntil = nil
        mail.wait(for: patience, until: { !$0.isEmpty }, take: { _ in })
        let enough = settings.gatherWhere.upperBound
        return mail.wait(
            for: end - .now, until: { $0.appends.count >= enough || $0.hasQuestions }, take: { $0.takeAll() })
    }

    private func serve(_ mail: Mail) {
        let now = settings.clock()
        for (delivery, settlement) in mail.settlements {
            deadLetters += ledger.settle(delivery, as: settlement, at: now)
        }
        status.settlementsInMail.subtract(mail.settlements.count, ordering: .relaxed)
        let answers = mail.appends.isEmpty && deadLetters.isEmpty ? [] : commit(mail.appends, at: now)
        // Before the answers: who is answered finds that everybody concerned has been told.
        tellConsumers()
        for (append, answer) in zip(mail.appends, answers) { append.answer.resume(returning: answer) }
        if hasCommitted, settings.gatherWhere.contains(mail.appends.count) { gatherUntil = .now + settings.gatherFor }
        for claim in mail.claims {
            claim.answer.resume(
                returning: ledger.claim(claim.limit, of: claim.app, at: claim.now, probe: claim.probe))
        }
        for census in mail.censuses { census.resume(returning: self.census()) }
        for errand in mail.errands { errand(self) }
        if mail.wantsCheckpoint { finishCheckpoint() }
        if !mail.folds.isEmpty {
            foldAll()
            for fold in mail.folds { fold.resume() }
        }
        tellConsumers()
    }

    private func tellConsumers() {
        for app in ledger.takeAppsToTell() { onDue(app) }
    }

    private func census() -> [Census] {
        let now = settings.clock()
        let names = Set(ledger.apps.keys).union(deadLetterCounts.keys)
        return names.sorted().map { name in
            var census = ledger.apps[name]?.census(at: now) ?? Census(app: name, waiting: 0)
            census.deadLetters = deadLetterCounts[name, default: 0]
            return census
        }
    }

    // MARK: Commit

    /// Merges and commits. Where the commit fails, everything merged is taken back before anybody is told.
    /// - Returns: an answer for each.
    private func commit(_ appends: [Mail.Append], at now: Timestamp) -> [Result<[Disposition], OutboxFailure>] {
        var answers: [Result<[Disposition], OutboxFailure>] = []
        answers.reserveCapacity(appends.count)
        do {
            if let failure = status.lastingFailure { throw failure }
            if !appends.isEmpty { try checkRoom() }
            var rows: [AcceptedRow] = []
            try recall(appends.lazy.map(\.submission).flatMap { one in one.patches.lazy.map { ($0.profile, one.app) } })
            for append in appends { answers.append(merge(append.submission, into: &rows, at: now)) }
            if !rows.isEmpty || !deadLetters.isEmpty {
                try write(rows, folding: foldAlong(rows.count, at: now), at: now)
            }
            ledger.keep()
        } catch {
            ledger.undo(to: 0)
            let failure = WriteFailure(error)
            status.noteFailure(failure)
            answers = Array(repeating: .failure(failure.failure), count: appends.count)
        }
        ledger.forget(at: now)
        return answers
    }

    /// One request's patches are kept together or not at all.
    private func merge(
        _ submission: Submission, into rows: inout [AcceptedRow], at now: Timestamp
    ) -> Result<[Disposition], OutboxFailure> {
        let mark = (undo: ledger.undoMark, rows: rows.count, waiting: ledger.waitingCount)
        var dispositions: [Disposition] = []
        dispositions.reserveCapacity(submission.patches.count)
        for patch in submission.patches {
            let sequence = ledger.unfolded.last + 1
            let arrival = Arrival(patch, of: submission, sequence: sequence, mostAhead: settings.mostAhead)
            let disposition = ledger.merge(arrival, at: now)
            dispositions.append(disposition)
            guard disposition.kind == .accepted else { continue }
            ledger.unfolded.last = sequence
            rows.append(AcceptedRow(arrival: arrival))
        }
        let waiting = ledger.waitingCount
        guard waiting <= max(settings.mostWaiting, mark.waiting) else {
            ledger.undo(to: mark.undo)
            rows.removeSubrange(mark.rows...)
            return .failure(.full("\(mark.waiting) profiles wait"))
        }
        return .success(dispositions)
    }

    /// Profiles that were delivered long ago are in the file alone.
    func recall(_ profiles: some Sequence<(ProfileReference, String)>) throws {
        let unknown = profiles.filter { profile, app in ledger.entry(of: profile, in: app) == nil }
        guard !unknown.isEmpty else { return }
        var found = 0
        try file.read { db in
            var finder = try ProfileRow.Finder(db)
            for (profile, app) in unknown {
                guard let stored = try finder.find(profile, of: app) else { continue }
                found += 1
                if ledger.entry(of: profile, in: app) == nil { ledger.restore(stored, at: settings.clock()) }
            }
        }
        metrics.lookedUp(found: found, new: unknown.count - found)
    }

    /// One transaction: the log's new rows, the dead letters, and a slice of the fold.
    /// - Parameters:
    ///   - others: profiles whose rows are written whether they are in the slice or not.
    ///   - more: what else belongs to it.
    func write(
        _ rows: [AcceptedRow], folding slice: [UnfoldedQueue.Place], at now: Timestamp, besides others: [Entry] = [],
        more: (Database) throws -> Void = { _ in }
    ) throws {
        let dead = deadLetters
        var letGo = letGoThrough
        let end = rows.last?.arrival.sequence ?? logEnd
        let profiles = rowsToWrite(slice, dead, others)
        let start = ContinuousClock.now
        var rowBytes = 0
        var newLetters: [String: Int] = [:]
        var counts: [Int] = []
        do {
            // What is written of an entry is what is folded: nothing may be added to it meanwhile.
            for (entry, _) in profiles { entry.nodes.insert(.isUncommitted) }
            defer { for (entry, _) in profiles { entry.nodes.remove(.isUncommitted) } }
            try file.commit(sync: { try shared.released(while: $0) }) { db in
                rowBytes = try AcceptedRow.insert(rows, into: db)
                for letter in dead {
                    let (isNew, count) = try letter.store(as: UniqueID.v7(at: letter.died), in: db)
                    if isNew { newLetters[letter.app, default: 0] += 1 }
                    counts.append(count)
                }
                try write(profiles, through: end, at: now, in: db)
                try more(db)
                if mayLetGo {
                    // Twice as many as are added, so that a backlog shrinks under any load.
                    letGo = try AcceptedRow.remove(
                        through: ledger.unfolded.foldedThrough, atMost: max(settings.letGoSlice, 2 * rows.count),
                        from: db)
                }
            }
        } catch {
            ledger.unfolded.putBack(slice)
            throw error
        }
        for (entry, id) in profiles {
            ledger.markFolded(entry, into: id)
            lastRow = max(lastRow, id)
        }
        letGoThrough = letGo
        logEnd = end
        hasCommitted = true
        deadLetters.removeAll()
        deadLetterCounts.merge(newLetters, uniquingKeysWith: +)
        for (letter, count) in zip(dead, counts) { ledger.note(count, of: letter) }
        metrics.committed(rows: rows.count, within: .now - start)
        // Rows share pages, the last written again with every commit; profiles and dead letters change one each.
        noteCommit(bytes: 8192 + rowBytes + rowBytes / 4 + 4096 * (profiles.count + dead.count))
    }

    /// - Parameter bytes: about how much the write-ahead log grew.
    func noteCommit(bytes: Int) {
        logBytes += bytes
        checkpointer.wrote(bytes: bytes, room: room)
        status.commits.add(1, ordering: .relaxed)
    }

    /// What was asked before is done. The lock goes last: whoever takes it finds a file that nobody writes.
    private func close() {
        shared.isClosed = true
        checkpointer.stop()
        foldAll()
        if status.lastingFailure != nil {
            file.abandon()
        } else {
            // While an earlier process's attempts are not over, the next start is to know of them too.
            let isFolded = ledger.unfolded.count == 0 && deadLetters.isEmpty
            if isFolded, trustedFrom.map({ $0 <= settings.clock() }) ?? true {
                try? file.commit { try AcceptedRow.note(isClosed: true, in: $0) }
            }
            // SQLite finishes the write-ahead log and removes it where nobody else has the file open.
            try? file.close()
        }
        lock = nil
    }
}
