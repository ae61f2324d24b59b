import GRDB
import Relay

// What is forgotten: profiles whose patches were delivered long ago, and dead letters that nobody wanted. In small
// transactions with a pause between them, so that callers wait no longer than for a commit. What is not delivered is
// never touched.

/// Where the trimming stands.
struct TrimState {
    /// When the next look is due.
    var due: ContinuousClock.Instant
    /// All rows are gone through in the order of their ids, from behind this one; nil between two sweeps. No index by
    /// age: every row that the fold writes would pay for it.
    var cursor: Int64?
    var sweepDue = ContinuousClock.now
    /// The sweep removed something. Where it did not, a file that is too large is all undelivered.
    var isWorthIt = true
    /// Dead letters removed and not told of yet, by app.
    var deadLetters: [String: Int] = [:]
}

extension Store {
    /// One small step of each kind.
    func trimSome(at now: Timestamp) {
        guard settings.forgets else { return }
        do {
            let room = try file.room()
            let profiles = try trimProfiles(at: now, isTight: isRoomShort || room.used > settings.mostFileBytes)
            let deadLetters = try trimDeadLetters(at: now)
            let isShrinking = room.free > (isRoomShort ? 0 : settings.freeBytes)
            if isShrinking {
                try file.shrink(pages: settings.trimSlice / 2)
                noteCommit(bytes: settings.trimSlice * 4096)
            }
            trim.due = .now + (profiles || deadLetters || isShrinking ? settings.trimPause : settings.trimEvery)
        } catch {
            status.noteFailure(WriteFailure(error))
            trim.due = .now + settings.trimEvery
        }
    }

    /// Looks at the next rows. Returns whether the sweep goes on.
    /// - Parameter isTight: the file is too large; age does not matter.
    private func trimProfiles(at now: Timestamp, isTight: Bool) throws -> Bool {
        if trim.cursor == nil, trim.sweepDue <= .now || (isTight && trim.isWorthIt) {
            trim.cursor = 0
            trim.isWorthIt = false
            trim.sweepDue = .now + settings.sweepEvery
        }
        guard let cursor = trim.cursor else { return false }
        let (rows, folded) = try file.read { db in
            (
                try ProfileRow.Outline.fetch(after: cursor, limit: settings.trimSlice, in: db),
                try AcceptedRow.foldedThrough(db)
            )
        }
        guard let last = rows.last else {
            trim.cursor = nil
            return false
        }
        trim.cursor = last.id
        let old = rows.filter { row in
            // While the log speaks of a profile, its row says how much of that is done.
            row.isDelivered && row.through <= folded && (isTight || now - row.changed >= settings.keepApplied)
                && ledger.entry(of: row.profile, in: row.app).map { ledger.isForgettable($0) } ?? true
        }
        guard !old.isEmpty else { return true }
        try file.commit { try ProfileRow.remove(old.map(\.id), from: $0) }
        for row in old {
            if let entry = ledger.entry(of: row.profile, in: row.app) { ledger.forget(entry) }
        }
        trim.isWorthIt = true
        metrics.trimmed(profiles: old.count)
        noteCommit(bytes: 4096 * old.count)
        return true
    }

    /// Returns whether there are more.
    private func trimDeadLetters(at now: Timestamp) throws -> Bool {
        var hasMore = false
        for (app, count) in deadLetterCounts where count > 0 {
            let died = now - settings.keepDeadLetters
            let letters = try file.read { db in
                try DeadLetter.ids(of: app, diedBefore: died, limit: settings.trimSlice, in: db)
                    .map { try ($0, StoredLetter.find($0, in: db)) }
            }
            guard !letters.isEmpty else { continue }
            try file.commit { db in for (id, _) in letters { try StoredLetter.remove(id, from: db) } }
            let removed = letters.count
            for case (_, let letter?) in letters {
                ledger.forgetRejected(letter.identifier, of: letter.profile, in: letter.app)
            }
            ledger.keep()
            deadLetterCounts[app] = count - removed
            trim.deadLetters[app, default: 0] += removed
            metrics.trimmed(deadLetters: removed)
            noteCommit(bytes: 4096 * removed)
            hasMore = hasMore || removed == settings.trimSlice
        }
        if !hasMore {
            for (app, count) in exchange(&trim.deadLetters, with: [:]) {
                onEvent(.deadLettersRemoved(app: app, count: count))
            }
        }
        return hasMore
    }
}
