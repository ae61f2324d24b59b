import GRDB

/// The tables, and how older ones become them. Names and columns are part of what people rely on: they look in with
/// `sqlite3`.
enum Schema {
    /// `PRAGMA application_id`: "PBay".
    static let applicationID: Int32 = 0x5042_6179
    /// `PRAGMA user_version`.
    static let version: Int32 = 3

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 outbox") { db in
            try db.execute(sql: first)
        }
        migrator.registerMigration("2 times") { db in
            try db.execute(sql: second)
        }
        migrator.registerMigration("3 a dead letter for each field") { db in
            try db.execute(sql: third)
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

    private static let third = """
        PRAGMA user_version = 3;

        -- The fields that Adapty refused, a bit for each: there may be dead letters to look up.
        ALTER TABLE profile ADD COLUMN rejected INTEGER NOT NULL DEFAULT 0;
        -- Attempts of it that nobody knows the end of may be taken until then.
        ALTER TABLE profile ADD COLUMN uncertain_until INTEGER;
        -- 1 while no process has the file that has not said so: then nothing was under way.
        ALTER TABLE folded ADD COLUMN is_closed INTEGER NOT NULL DEFAULT 0;

        -- One for each profile and field. `field_value` is NULL where the field was to be set to null; `answer` is what
        -- Adapty said where it refused the value, which is not sent again then.
        CREATE TABLE dead_letter_3 (
            id TEXT PRIMARY KEY,
            app TEXT NOT NULL,
            reference TEXT NOT NULL,
            value TEXT NOT NULL,
            field TEXT NOT NULL,
            field_value TEXT,
            at INTEGER NOT NULL,
            origin TEXT NOT NULL,
            count INTEGER NOT NULL,
            first_at INTEGER NOT NULL,
            died_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            since INTEGER NOT NULL,
            is_rejected INTEGER NOT NULL,
            status INTEGER,
            code TEXT NOT NULL,
            message TEXT NOT NULL,
            answer TEXT
        ) STRICT;
        -- Of a group's columns that are not aggregated SQLite takes those of the row that max() found.
        INSERT INTO dead_letter_3
        SELECT id || '-' || field, app, reference, value, field, field_value,
            coalesce(json_extract(times, '$.' || field), at), origin, count(*), first_at, max(died_at), attempts, since,
            0, status, code, message, NULL
        FROM (
            SELECT d.*, f.key AS field, f.value AS field_value,
                min(d.died_at) OVER (PARTITION BY d.app, d.reference, d.value, f.key) AS first_at
            FROM dead_letter AS d, json_each(d.identifiers) AS f
        )
        GROUP BY app, reference, value, field;
        DROP TABLE dead_letter;
        ALTER TABLE dead_letter_3 RENAME TO dead_letter;
        CREATE UNIQUE INDEX dead_letter_field ON dead_letter (app, reference, value, field);
        CREATE INDEX dead_letter_app ON dead_letter (app, died_at);
        """
}
