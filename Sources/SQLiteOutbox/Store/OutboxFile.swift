import GRDB
import Relay

/// The SQLite file: one connection that writes, used on one thread. `WAL` and `synchronous=FULL`: a commit is on the
/// disk when it returns. Nothing checkpoints by itself; see `Checkpointer`.
final class OutboxFile {
    let path: String
    private let queue: DatabaseQueue

    init(path: String, settings: OutboxSettings) throws(OutboxOpenError) {
        self.path = path
        try makeForOwner(path)
        do {
            queue = try DatabaseQueue(path: path, configuration: Self.configuration(settings))
            try queue.writeWithoutTransaction { db in
                try Schema.check(db, path: path)
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else {
                    throw OutboxOpenError(
                        path: path, problem: .failed, cause: "no write-ahead log here: \(mode ?? "no mode")")
                }
            }
            try Schema.migrator.migrate(queue)
            try queue.writeWithoutTransaction { db in
                if let pages = settings.mostPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
            }
        } catch {
            throw OutboxOpenError(path: path, error)
        }
    }

    static func configuration(_ settings: OutboxSettings) -> Configuration {
        var configuration = Configuration()
        configuration.label = "outbox"
        configuration.busyMode = .timeout(5)
        // GRDB's own WAL mode means `synchronous = NORMAL`, which loses the last commits with the power.
        configuration.journalMode = .default
        configuration.foreignKeysEnabled = false
        // Debian's SQLite overwrites what is deleted unless told otherwise: every page of the log would be written
        // once more. And it makes a table for each run of a statement that checks one text against three, which took
        // three quarters of the time of writing a profile's row: the checks are for whoever else writes here.
        configuration.prepareDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA cell_size_check = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA secure_delete = OFF;
                    PRAGMA ignore_check_constraints = ON;
                    PRAGMA cache_size = -8192;
                    """)
        }
        return configuration
    }

    /// Reads in one transaction: SQLite locks and unlocks once, not for each statement.
    func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try queue.writeWithoutTransaction { db in
            var result: Swift.Result<Result, any Error>?
            try db.inTransaction(.deferred) {
                result = Swift.Result { try body(db) }
                return .commit
            }
            guard let result else { throw DatabaseError(resultCode: .SQLITE_INTERNAL) }
            return try result.get()
        }
    }

    /// All of it becomes durable, or nothing does.
    /// - Parameter sync: runs what waits for the disk.
    func commit(
        sync: (() throws -> Void) throws -> Void = { try $0() }, _ body: (Database) throws -> Void
    ) throws {
        try queue.writeWithoutTransaction { db in
            try db.beginTransaction(.immediate)
            do {
                try body(db)
                try sync { try db.commit() }
            } catch {
                // Where SQLite has rolled back by itself there is nothing left to do.
                if db.isInsideTransaction { try? db.rollback() }
                throw error
            }
        }
    }

    /// Finds out whether writing works: takes some room and gives it back.
    func probe() throws {
        try commit { try $0.execute(sql: "INSERT INTO probe VALUES (zeroblob(65536))") }
        try commit { try $0.execute(sql: "DELETE FROM probe") }
    }

    /// As far as readers let it, without waiting for them.
    func checkpoint() throws -> (logFrames: Int, doneFrames: Int) {
        try queue.writeWithoutTransaction { db in
            let (frames, done) = try db.checkpoint(.passive)
            return (frames, done)
        }
    }

    func close() throws {
        try queue.close()
    }
}
