import GRDB
import Relay

/// Fills the ledger at the start: the profiles that wait, then the log on top of them. Returns how many dead letters
/// each app has, and until when attempts of an earlier process that did not say that it ended may be taken.
///
/// A row of the log that its profile's row contains is passed over; it is there still because the log is let go from
/// its beginning.
func recover(_ ledger: Ledger, from file: OutboxFile) throws(OutboxOpenError) -> Recovered {
    do {
        return try file.read { try recover(ledger, in: $0) }
    } catch {
        throw OutboxOpenError(path: file.path, error)
    }
}

typealias Recovered = (
    deadLetters: [String: Int], lastRow: Int64, letGoThrough: Int64, trustedFrom: Timestamp?
)

/// The same, in a transaction of whoever reads.
func recover(_ ledger: Ledger, in db: Database) throws -> Recovered {
    struct Key: Hashable {
        let app: String
        let profile: ProfileReference
    }
    let now = ledger.settings.clock()
    try ProfileRow.forEachWaiting(in: db) { ledger.restore($0, at: now) }
    ledger.unfolded.last = try AcceptedRow.lastSequence(db)
    var through: [Key: Int64] = [:]
    try AcceptedRow.forEach(in: db) { arrival in
        let key = Key(app: arrival.app, profile: arrival.profile)
        if through[key] == nil {
            let stored = try ProfileRow.find(arrival.profile, of: arrival.app, in: db)
            through[key] = stored?.through ?? 0
            if let stored, ledger.entry(of: arrival.profile, in: arrival.app) == nil {
                ledger.restore(stored, at: now)
            }
        }
        guard arrival.sequence > through[key, default: 0] else { return }
        _ = ledger.merge(arrival, at: min(arrival.received, now))
        ledger.keep()
    }
    let trustedFrom = try AcceptedRow.wasClosed(db) ? nil : ledger.distrustAttempts(before: now)
    return (
        try DeadLetter.counts(in: db), try ProfileRow.lastID(db), try AcceptedRow.foldedThrough(db), trustedFrom
    )
}
