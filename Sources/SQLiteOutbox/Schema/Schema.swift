import GRDB

/// The tables, and how older ones become them. Names and columns are part of what people rely on: they look in with
/// `sqlite3`.
enum Schema {
    /// `PRAGMA application_id`: "PBay".
    static let applicationID: Int32 = 0x5042_6179
    /// `PRAGMA user_version`.
    static let version: Int32 = 2

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 outbox") { db in
            try db.execute(sql: first)
        }
        migrator.registerMigration("2 times") { db in
            try db.execute(sql: second)
        }
        return migrator
    }

    enum Content {
        case isEmpty, isOurs
    }

    /// Refuses what is not ours and what is newer than this program, before anything is written.
    static func check(_ db: Database, path: String) throws -> Content {
        let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let owner = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
        guard isEmpty || owner == applicationID else {
            throw OutboxOpenError(path: path, problem: .corrupt, cause: "it is another program's SQLite file")
        }
        guard version <= Self.version else {
            throw OutboxOpenError(
                path: path, problem: .newerSchema, cause: "its schema is \(version), this program knows \(Self.version)"
            )
        }
        return isEmpty ? .isEmpty : .isOurs
    }

    /// Times are milliseconds since 1970: `datetime(at / 1000, 'unixepoch')`.
    private static let first = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = 1;

        -- The log: one row for each patch that was accepted and is not in its profile's row yet.
        CREATE TABLE accepted (
            sequence INTEGER PRIMARY KEY,
            app TEXT NOT NULL,
            reference TEXT NOT NULL,
            value TEXT NOT NULL,
            identifiers TEXT NOT NULL,
            at INTEGER NOT NULL,
            received INTEGER NOT NULL,
            origin TEXT NOT NULL,
            request TEXT NOT NULL
        ) STRICT;

        -- Up to where the log is in the profiles' rows, and removed.
        CREATE TABLE folded (id INTEGER PRIMARY KEY CHECK (id = 1), through INTEGER NOT NULL) STRICT;
        INSERT INTO folded VALUES (1, 0);

        -- What is known of each profile. `waiting` is NULL where nothing waits, `applied` where nothing was confirmed.
        CREATE TABLE profile (
            id INTEGER PRIMARY KEY,
            key INTEGER NOT NULL,
            app TEXT NOT NULL,
            reference TEXT NOT NULL CHECK (reference IN ('customer_user_id', 'profile_id')),
            value TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'applied', 'dropped')),
            waiting TEXT,
            applied TEXT,
            origin TEXT NOT NULL,
            since INTEGER,
            due INTEGER,
            attempts INTEGER NOT NULL,
            status INTEGER,
            code TEXT,
            message TEXT,
            through INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        -- Rows stand in the order in which they were first written, and are found by a hash of whom they are about: a
        -- slice of the fold then changes few pages. Ordered by the ids themselves, every row changed a page of its own.
        CREATE INDEX profile_key ON profile (key);
        CREATE INDEX profile_waiting ON profile (since) WHERE state = 'waiting';

        CREATE TABLE dead_letter (
            id TEXT PRIMARY KEY,
            app TEXT NOT NULL,
            reference TEXT NOT NULL,
            value TEXT NOT NULL,
            origin TEXT NOT NULL,
            identifiers TEXT NOT NULL,
            times TEXT NOT NULL,
            at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            since INTEGER NOT NULL,
            died_at INTEGER NOT NULL,
            status INTEGER,
            code TEXT NOT NULL,
            message TEXT NOT NULL
        ) STRICT;
        CREATE INDEX dead_letter_app ON dead_letter (app, died_at);

        -- Written and emptied again to find out whether the disk takes anything.
        CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
        """

    private static let second = """
        PRAGMA user_version = 2;

        -- 0 where the vendor gave no time, and `at` is the time of arrival.
        ALTER TABLE accepted ADD COLUMN is_timed INTEGER NOT NULL DEFAULT 1;

        -- When the first of the attempts failed. What failed before this was noted begins anew with its last failure.
        ALTER TABLE profile ADD COLUMN failing_since INTEGER;
        UPDATE profile SET failing_since = changed_at WHERE state = 'waiting' AND attempts > 0;
        """
}
