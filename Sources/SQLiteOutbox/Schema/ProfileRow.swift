import GRDB
import Relay

/// A profile's row: what the fold writes, what a start and a look-up read.
enum ProfileRow {
    /// Writes the rows of several profiles.
    struct Writer {
        private var inserting: RowStatement
        private var updating: RowStatement
        private let db: Database

        /// Two statements: one for both cases would look for a row that is known not to be there.
        init(_ db: Database) throws {
            self.db = db
            inserting = try RowStatement(
                """
                INSERT INTO profile (state, waiting, applied, origin, since, due, attempts, failing_since, status, code,
                    message, rejected, uncertain_until, through, changed_at, id, key, app, reference, value)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, in: db)
            updating = try RowStatement(
                """
                UPDATE profile SET state = ?, waiting = ?, applied = ?, origin = ?, since = ?, due = ?, attempts = ?,
                    failing_since = ?, status = ?, code = ?, message = ?, rejected = ?,
                    uncertain_until = ?, through = ?, changed_at = ?
                WHERE id = ?
                """, in: db)
        }

        /// - Parameters:
        ///   - id: the row's, new or not.
        ///   - through: the row contains what the log says up to here.
        mutating func write(_ entry: Entry, id: Int64, origin: String, through: Int64, at now: Timestamp) throws {
            if entry.state.hasRare {
                for rejected in entry.state.rare.rejected {
                    try rejected.recount(of: entry.profile, in: entry.app.name, db: db)
                }
            }
            if entry.row != 0 {
                Self.bind(entry.state, id: id, origin: origin, through: through, at: now, to: &updating)
                try updating.run()
                // Somebody may have taken rows out by hand: what is known is not lost for it.
                if db.changesCount > 0 { return }
            }
            Self.bind(entry.state, id: id, origin: origin, through: through, at: now, to: &inserting)
            inserting.bind(ProfileRow.key(of: entry.profile, in: entry.app.name))
            inserting.bind(entry.app.name)
            inserting.bind(entry.profile.key)
            inserting.bind(entry.profile.value)
            try inserting.run()
        }

        private static func bind(
            _ state: Entry.State, id: Int64, origin: String, through: Int64, at now: Timestamp,
            to statement: inout RowStatement
        ) {
            statement.bind(state.isWaiting ? "waiting" : state.applied.isEmpty ? "dropped" : "applied")
            if state.isWaiting { statement.bind(state.waiting.patch.storedJSON) } else { statement.bindNull() }
            if state.applied.isEmpty { statement.bindNull() } else { statement.bind(state.applied.storedJSON) }
            statement.bind(origin)
            if state.isWaiting {
                statement.bind(state.since.milliseconds)
                statement.bind(state.due.milliseconds)
            } else {
                statement.bindNull()
                statement.bindNull()
            }
            statement.bind(Int64(state.attempts))
            if state.attempts > 0 { statement.bind(state.failingSince.milliseconds) } else { statement.bindNull() }
            bind(state.lastFailure?.value, to: &statement)
            let rejected = state.hasRare ? IdentifierSet(state.rare.rejected.map(\.field.identifier)) : []
            statement.bind(Int64(rejected.rawValue))
            if state.hasRare, let until = state.rare.uncertainUntil, until > now {
                statement.bind(until.milliseconds)
            } else {
                statement.bindNull()
            }
            statement.bind(through)
            statement.bind(now.milliseconds)
            statement.bind(id)
        }

        private static func bind(_ failure: Failure?, to statement: inout RowStatement) {
            if let status = failure?.status { statement.bind(status) } else { statement.bindNull() }
            if let failure {
                statement.bind(failure.code)
                statement.bind(failure.message)
            } else {
                statement.bindNull()
                statement.bindNull()
            }
        }
    }

    /// Finds the rows of several profiles; most of those that are asked for have none.
    struct Finder {
        private var exists: RowStatement
        private let db: Database

        init(_ db: Database) throws {
            self.db = db
            exists = try RowStatement(
                "SELECT 1 FROM profile WHERE \(isIt)", in: db)
        }

        mutating func find(_ profile: ProfileReference, of app: String) throws -> StoredProfile? {
            exists.bind(ProfileRow.key(of: profile, in: app))
            exists.bind(app)
            exists.bind(profile.key)
            exists.bind(profile.value)
            return try exists.run() ? try ProfileRow.find(profile, of: app, in: db) : nil
        }
    }

    static func find(_ profile: ProfileReference, of app: String, in db: Database) throws -> StoredProfile? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(columns) FROM profile WHERE \(isIt)")
        let row = try Row.fetchOne(
            statement, arguments: [key(of: profile, in: app), app, profile.key, profile.value])
        return try row.map { try stored($0, in: db) }
    }

    static func lastID(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT max(id) FROM profile") ?? 0
    }

    /// A hash that is the same in every process, and on every machine that the file is taken to: FNV-1a over the
    /// texts with a separator that none of them contains, mixed at the end as SplitMix64 does. It narrows the search;
    /// the texts decide.
    static func key(of profile: ProfileReference, in app: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ text: String) {
            text.withBytes { bytes in
                for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        take(app)
        take(profile.key)
        take(profile.value)
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int64(bitPattern: hash ^ (hash >> 31))
    }

    private static let isIt = "key = ? AND app = ? AND reference = ? AND value = ?"

    static func forEachWaiting(in db: Database, _ body: (StoredProfile) throws -> Void) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT \(columns) FROM profile WHERE state = 'waiting' ORDER BY since")
        while let row = try rows.next() { try body(try stored(row, in: db)) }
    }

    private static let columns = """
        app, reference, value, waiting, applied, origin, since, due, attempts, status, code, message, through, id,
        failing_since, changed_at, rejected, uncertain_until
        """

    private static func stored(_ row: Row, in db: Database) throws -> StoredProfile {
        let waiting: String? = row[3]
        let applied: String? = row[4]
        let code: String? = row[10]
        let profile = try ProfileReference(key: row[1], value: row[2])
        let rejected = IdentifierSet(rawValue: UInt32(truncatingIfNeeded: row[16] as Int64))
        return StoredProfile(
            app: row[0], profile: profile,
            waiting: try waiting.map { try MergedPatch(storedJSON: $0) } ?? MergedPatch(),
            applied: try applied.map { try AppliedPatch(storedJSON: $0) } ?? AppliedPatch(), origin: row[5],
            since: Timestamp(milliseconds: row[6] ?? 0), due: Timestamp(milliseconds: row[7] ?? 0), attempts: row[8],
            failingSince: Timestamp(milliseconds: row[14] ?? 0),
            lastFailure: code.map { Failure(status: row[9], code: $0, message: row[11] ?? "") }, through: row[12],
            changed: Timestamp(milliseconds: row[15]), row: row[13],
            rejected: rejected.isEmpty
                ? []
                : try RejectedField.find(profile, of: row[0], in: db).filter { rejected.contains($0.field.identifier) },
            uncertainUntil: (row[17] as Int64?).map { Timestamp(milliseconds: $0) })
    }
}

extension ProfileRow {
    /// What decides whether a row is kept.
    struct Outline {
        let id: Int64
        let app: String
        let profile: ProfileReference
        /// And nothing of it is refused, which is known for as long as its dead letters are kept.
        let isDelivered: Bool
        let through: Int64
        let changed: Timestamp

        /// The next rows in the order of their ids.
        static func fetch(after id: Int64, limit: Int, in db: Database) throws -> [Outline] {
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id, app, reference, value, state <> 'waiting' AND NOT (rejected <> 0 AND EXISTS (
                            SELECT 1 FROM dead_letter AS d WHERE d.app = profile.app
                                AND d.reference = profile.reference AND d.value = profile.value AND d.is_rejected)),
                        through, changed_at FROM profile
                    WHERE id > ? ORDER BY id LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: [id, limit]).map { row in
                Outline(
                    id: row[0], app: row[1], profile: try ProfileReference(key: row[2], value: row[3]),
                    isDelivered: row[4], through: row[5], changed: Timestamp(milliseconds: row[6]))
            }
        }
    }

    static func remove(_ ids: [Int64], from db: Database) throws {
        let statement = try db.cachedStatement(sql: "DELETE FROM profile WHERE id = ?")
        for id in ids { try statement.execute(arguments: [id]) }
    }
}
