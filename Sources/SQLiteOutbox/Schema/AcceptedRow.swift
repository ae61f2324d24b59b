import GRDB
import Relay

/// A row of the log.
struct AcceptedRow {
    let arrival: Arrival

    /// Returns how many bytes that were.
    static func insert(_ rows: [AcceptedRow], into db: Database) throws -> Int {
        guard !rows.isEmpty else { return 0 }
        var statement = try RowStatement(
            """
            INSERT INTO accepted (sequence, app, reference, value, identifiers, at, is_timed, received, origin, request)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, in: db)
        for row in rows {
            let arrival = row.arrival
            statement.bind(arrival.sequence)
            statement.bind(arrival.app)
            statement.bind(arrival.profile.key)
            statement.bind(arrival.profile.value)
            statement.bind(arrival.identifiers.json)
            statement.bind(arrival.at.milliseconds)
            statement.bind(arrival.isTimed ? 1 : 0)
            statement.bind(arrival.received.milliseconds)
            statement.bind(arrival.origin)
            statement.bind(arrival.request?.description ?? "")
            try statement.run()
        }
        return statement.boundBytes
    }

    /// The log in its order. Whoever waited for an answer does not any more.
    static func forEach(in db: Database, _ body: (Arrival) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT sequence, app, reference, value, identifiers, at, is_timed, received, origin, request
                FROM accepted
                ORDER BY sequence
                """)
        while let row = try rows.next() {
            try body(
                Arrival(
                    app: row[1], profile: try ProfileReference(key: row[2], value: row[3]),
                    identifiers: try IntegrationIdentifiers(storedJSON: row[4]), at: Timestamp(milliseconds: row[5]),
                    isTimed: row[6], received: Timestamp(milliseconds: row[7]), sequence: row[0], origin: row[8],
                    request: UniqueID(row[9] as String), isAwaited: false))
        }
    }

    /// The newest place in the order of arrival that was ever given.
    static func lastSequence(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db, sql: "SELECT max((SELECT through FROM folded), coalesce((SELECT max(sequence) FROM accepted), 0))") ?? 0
    }

    static func foldedThrough(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT through FROM folded")) ?? 0
    }

    /// Whether the last process said that it ended.
    static func wasClosed(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT is_closed FROM folded") ?? false
    }

    static func note(isClosed: Bool, in db: Database) throws {
        try db.execute(sql: "UPDATE folded SET is_closed = ?", arguments: [isClosed])
    }

    /// Removes the oldest rows up to a place.
    /// - Returns: the place up to which there are none any more.
    static func remove(through sequence: Int64, atMost limit: Int, from db: Database) throws -> Int64 {
        let beyond = try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT sequence FROM accepted WHERE sequence <= ? ORDER BY sequence LIMIT 1 OFFSET ?"),
            arguments: [sequence, limit])
        let through = beyond.map { $0 - 1 } ?? sequence
        try db.cachedStatement(sql: "DELETE FROM accepted WHERE sequence <= ?").execute(arguments: [through])
        try db.cachedStatement(sql: "UPDATE folded SET through = ?").execute(arguments: [through])
        return through
    }
}

extension ProfileReference {
    /// From the columns `reference` and `value`.
    init(key: String, value: String) throws {
        let reference: ProfileReference? =
            switch key {
            case "profile_id": .profileID(value)
            case "customer_user_id": .customerUserID(value)
            default: nil
            }
        guard let reference else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a \(key) that is none")
        }
        self = reference
    }
}
