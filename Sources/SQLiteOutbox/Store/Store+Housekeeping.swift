import GRDB
import Relay

// What the store does when nobody asks: the fold, the newer times, and finding out whether the disk is back.

extension Store {
    /// How long to wait for mail before there is something to do; nil for ever.
    var patience: Duration? {
        if status.lastingFailure != nil { return nil }
        if !status.isWritable { return probeDue - .now }
        var patience = lookDue - .now
        if settings.forgets { patience = min(patience, trim.due - .now) }
        if !ledger.newerTimes.isEmpty { patience = min(patience, newerTimesDue - .now) }
        if let oldest = ledger.unfolded.oldest {
            let rest = foldAge - (settings.clock() - oldest)
            patience = min(patience, rest)
        }
        // Where there was a commit there may be another, which lets go of some more.
        if mayLetGo { patience = min(patience, hasCommitted ? settings.letGoPause : .zero) }
        return patience
    }

    func keepHouse() {
        if status.lastingFailure != nil { return }
        if !status.isWritable { return probe() }
        if lookDue <= .now { lookAfterFiles() }
        let now = settings.clock()
        if !ledger.newerTimes.isEmpty, newerTimesDue <= .now {
            newerTimesDue = .now + settings.newerTimesAfter
            ledger.foldNewerTimes(at: now)
        }
        // Commits let go of the log as they come.
        if isFoldingDue(at: now) || (mayLetGo && !hasCommitted) { foldSlice(at: now) }
        // The checkpointer does not keep up: from here on callers wait for the disk, and the log stays bounded.
        if logBytes > 2 * settings.mostLogBytes { finishCheckpoint() }
        ledger.forget(at: now)
        if trim.due <= .now { trimSome(at: now) }
    }

    private func lookAfterFiles() {
        lookDue = .now + settings.lookEvery
        do {
            try file.lookAfterFiles()
        } catch {
            status.noteFailure(WriteFailure(error))
        }
    }

    private func probe() {
        guard probeDue <= .now else { return }
        probeDue = .now + settings.probeEvery
        do {
            try makeRoom()
            try checkRoom()
            try file.probe()
            status.noteProbed()
        } catch {
            status.noteFailure(WriteFailure(error))
        }
    }

    // MARK: Fold

    /// Once begun, a fold goes on to the half of the age: one slice a while instead of one row with every commit.
    private var foldAge: Duration { isFolding ? settings.foldAfter / 2 : settings.foldAfter }

    private func isFoldingDue(at now: Timestamp) -> Bool {
        guard let oldest = ledger.unfolded.oldest else {
            isFolding = false
            return false
        }
        isFolding = now - oldest >= foldAge
        return isFolding || ledger.unfolded.count > settings.foldBacklog
    }

    /// The slice that a commit of so many rows takes along; twice as many, so that a backlog shrinks under load.
    func foldAlong(_ rows: Int, at now: Timestamp) -> [UnfoldedQueue.Place] {
        isFoldingDue(at: now) ? slice(max(64, 2 * rows), at: now) : []
    }

    /// What is old enough, or too much, comes in the order of its rows: many of them share a page.
    /// - Parameter arranging: so many whatever their age, where none are in order yet.
    private func slice(
        _ count: Int = .max, arranging: Int? = nil, at now: Timestamp
    ) -> [UnfoldedQueue.Place] {
        // Younger than where a fold ends: it would go on for ever otherwise, a row with every commit.
        let old = now - settings.foldAfter / 4
        let excess = ledger.unfolded.count - settings.foldBacklog / 2
        ledger.unfolded.arrange(arranging ?? settings.foldBatch) { number, place in
            arranging != nil || place.since <= old || number < excess
        }
        return ledger.unfolded.take(min(settings.foldSlice, count), bytes: settings.foldSliceBytes)
    }

    /// The log holds what is in the profiles' rows by now.
    var mayLetGo: Bool { letGoThrough < ledger.unfolded.foldedThrough }

    /// Writes one slice in a transaction of its own, and lets go of some of the log.
    /// - Parameter arranging: of so many, also where they are not due.
    func foldSlice(arranging: Int? = nil, at now: Timestamp) {
        do {
            let isMeant = arranging != nil || isFoldingDue(at: now)
            try write([], folding: isMeant ? slice(arranging: arranging, at: now) : [], at: now)
        } catch {
            status.noteFailure(WriteFailure(error))
        }
    }

    /// What is there when it begins: deliveries go on beside it, and what they settle is the next fold's.
    func foldAll() {
        let now = settings.clock()
        ledger.foldNewerTimes(at: now)
        while ledger.unfolded.oldest.map({ $0 <= now }) ?? mayLetGo || !deadLetters.isEmpty, status.isWritable {
            foldSlice(arranging: settings.foldBatch, at: now)
        }
    }

    /// The rows that a transaction writes, each with its id: the slice's, those of the dead letters, and others. A
    /// start that found the log of a dead letter without its profile's row would deliver it again.
    func rowsToWrite(
        _ slice: [UnfoldedQueue.Place], _ dead: [DeadLetter], _ others: [Entry]
    ) -> [(entry: Entry, id: Int64)] {
        var entries = slice.map(\.entry).filter(\.state.isDirty)
        if !dead.isEmpty || !others.isEmpty {
            let buried = dead.compactMap { ledger.entry(of: $0.profile, in: $0.app) }
            var seen: Set<ObjectIdentifier> = []
            entries = (buried + others + entries).filter { seen.insert(ObjectIdentifier($0)).inserted }
        }
        var newRow = lastRow
        return entries.map { entry in
            if entry.row == 0 { newRow += 1 }
            return (entry, entry.row == 0 ? newRow : entry.row)
        }
    }

    /// - Parameter end: the ledger contains the log up to here, also what this very transaction adds to it.
    func write(_ rows: [(entry: Entry, id: Int64)], through end: Int64, at now: Timestamp, in db: Database) throws {
        guard !rows.isEmpty else { return }
        var writer = try ProfileRow.Writer(db)
        for (entry, id) in rows {
            try writer.write(
                entry, id: id, origin: ledger.originName(entry.state.origin), through: end, at: now)
        }
    }

    // MARK: Checkpoint

    /// Reaches the end of the write-ahead log, because nobody else writes now; the next commit begins it anew.
    ///
    /// Waits for no reader: a backup or somebody's shell holds its part of the log for as long as it likes, and every
    /// caller would wait with it. The log grows meanwhile, and a look at a long one costs time as well: the next one is
    /// taken a while later.
    func finishCheckpoint() {
        guard checkpointDue <= .now else { return }
        do {
            let (frames, done) = try file.checkpoint()
            let wasHeld = isLogHeld
            isLogHeld = done < frames
            if isLogHeld {
                checkpointDue = .now + settings.checkpointAgainAfter
                if !wasHeld { metrics.logHeld() }
            } else {
                logBytes = 0
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // The checkpointer is at it, and will ask again if that does not help. To be told so costs one lock.
        } catch {
            status.noteFailure(WriteFailure(error))
        }
    }
}
