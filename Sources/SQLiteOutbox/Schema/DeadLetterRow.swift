import GRDB
import Relay

// Dead letters are in the file alone, one row each; memory has no more than their number.

extension DeadLetter {
    func insert(_ id: UniqueID, into db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO dead_letter (id, app, reference, value, origin, identifiers, times, at, attempts,
                    since, died_at, status, code, message)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            id.description, app, profile.key, profile.value, origin,
            String(decoding: patch.identifiers.json, as: UTF8.self), String(decoding: patch.timesJSON, as: UTF8.self),
            (patch.newestTime ?? died).milliseconds, attempts, since.milliseconds, died.milliseconds, failure.status,
            failure.code, failure.message,
        ])
    }

    static func counts(in db: Database) throws -> [String: Int] {
        try Row.fetchAll(db, sql: "SELECT app, count(*) FROM dead_letter GROUP BY app")
            .reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }

    static func isAny(of app: String, diedBefore time: Timestamp, in db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM dead_letter WHERE app = ? AND died_at < ?)")
        return try Bool.fetchOne(statement, arguments: [app, time.milliseconds]) ?? false
    }

    /// The oldest first. Returns how many there were.
    static func remove(of app: String, diedBefore time: Timestamp, limit: Int, from db: Database) throws -> Int {
        try db.cachedStatement(
            sql: """
                DELETE FROM dead_letter WHERE id IN (
                    SELECT id FROM dead_letter WHERE app = ? AND died_at < ? ORDER BY died_at LIMIT ?)
                """
        ).execute(arguments: [app, time.milliseconds, limit])
        return db.changesCount
    }
}
