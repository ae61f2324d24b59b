import GRDB
import Relay

/// A profile's row: what the fold writes, what a start and a look-up read.
enum ProfileRow {
    /// - Parameter through: the row contains what the log says up to here.
    static func write(_ entry: Entry, origin: String, through: Int64, at now: Timestamp, into db: Database) throws {
        let state = entry.state
        let failure = state.lastFailure?.value
        let isWaiting = state.isWaiting
        try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO profile (app, reference, value, state, waiting, applied, origin, since, due,
                    attempts, status, code, message, through, changed_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            entry.app.name, entry.profile.key, entry.profile.value,
            isWaiting ? "waiting" : state.applied.isEmpty ? "dropped" : "applied",
            isWaiting ? state.waiting.storedJSON : nil, state.applied.isEmpty ? nil : state.applied.storedJSON, origin,
            isWaiting ? state.since.milliseconds : nil, isWaiting ? state.due.milliseconds : nil, Int(state.attempts),
            failure?.status, failure?.code, failure?.message, through, now.milliseconds,
        ])
    }

    static func find(_ profile: ProfileReference, of app: String, in db: Database) throws -> StoredProfile? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(columns) FROM profile WHERE app = ? AND reference = ? AND value = ?")
        guard let row = try Row.fetchOne(statement, arguments: [app, profile.key, profile.value]) else { return nil }
        return try stored(row)
    }

    static func forEachWaiting(in db: Database, _ body: (StoredProfile) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT \(columns) FROM profile WHERE state = 'waiting' ORDER BY since")
        while let row = try rows.next() { try body(try stored(row)) }
    }

    private static let columns = """
        app, reference, value, waiting, applied, origin, since, due, attempts, status, code, message, through
        """

    private static func stored(_ row: Row) throws -> StoredProfile {
        let waiting: String? = row[3]
        let applied: String? = row[4]
        let code: String? = row[10]
        return StoredProfile(
            app: row[0], profile: try ProfileReference(key: row[1], value: row[2]),
            waiting: try waiting.map { try MergedPatch(storedJSON: $0) } ?? MergedPatch(),
            applied: try applied.map { try AppliedPatch(storedJSON: $0) } ?? AppliedPatch(), origin: row[5],
            since: Timestamp(milliseconds: row[6] ?? 0), due: Timestamp(milliseconds: row[7] ?? 0), attempts: row[8],
            lastFailure: code.map { Failure(status: row[9], code: $0, message: row[11] ?? "") }, through: row[12])
    }
}

extension DeadLetter {
    func insert(_ id: UniqueID, into db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO dead_letter (id, app, reference, value, origin, identifiers, times, at, attempts, since,
                    died_at,
                    status, code, message)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id.description, app, profile.key, profile.value, origin,
            String(decoding: patch.identifiers.json, as: UTF8.self), patch.timesJSON,
            (patch.newestTime ?? died).milliseconds, attempts, since.milliseconds, died.milliseconds, failure.status,
            failure.code, failure.message,
        ])
    }

    static func counts(in db: Database) throws -> [String: Int] {
        try Row.fetchAll(db, sql: "SELECT app, count(*) FROM dead_letter GROUP BY app")
            .reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }
}
