import GRDB
import Relay

/// The SQLite file: one connection that writes, used on one thread. `WAL` and `synchronous=FULL`: a commit is on the
/// disk when it returns. Nothing checkpoints by itself; see `Checkpointer`.
final class OutboxFile {
    let path: String
    private let queue: DatabaseQueue
    private let failCommit: (@Sendable () throws -> Void)?
    private var watch: FileWatch

    /// - Parameter watch: the files that must stay what they are.
    init(path: String, watch: FileWatch, settings: OutboxSettings) throws(OutboxOpenError) {
        self.path = path
        self.watch = watch
        failCommit = settings.failCommit
        try makeForOwner(path)
        do {
            try Self.look(path, settings)
            queue = try DatabaseQueue(path: path, configuration: Self.configuration(settings))
            try queue.writeWithoutTransaction { db in
                // Takes effect where there is no table yet: the write-ahead log would write the first page. Elsewhere
                // it would write a counter, also where the file turns out to be damaged.
                switch try Schema.check(db, path: path) {
                case .isEmpty: try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                // Is it locked by somebody?
                case .isOurs: try db.inTransaction(.immediate) { .rollback }
                }
                let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
                guard mode == "wal" else {
                    throw OutboxOpenError(
                        path: path, problem: .failed, cause: "no write-ahead log here: \(mode ?? "no mode")")
                }
            }
            try queue.writeWithoutTransaction { try Self.finishLog($0) }
            try Schema.migrator.migrate(queue)
            try queue.writeWithoutTransaction { db in
                try Self.makeShrinkable(db)
                if let pages = settings.mostPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
            }
            try lookAfterFiles()
        } catch {
            throw OutboxOpenError(path: path, error)
        }
    }

    /// Refuses a file that is not ours on a connection that cannot write: to close one that can would finish a
    /// write-ahead log that stands beside it.
    private static func look(_ path: String, _ settings: OutboxSettings) throws {
        var configuration = readerConfiguration
        configuration.busyMode = .timeout(settings.lockWait.inSeconds)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            _ = try queue.read { try Schema.check($0, path: path) }
        } catch let error as DatabaseError where [.SQLITE_READONLY, .SQLITE_CANTOPEN].contains(error.resultCode) {
            // A journal or a log that only a writer may read: it looks itself.
        }
    }

    /// Copies everything that an earlier process left in the write-ahead log into the file, and empties it.
    ///
    /// That process may have ended because an `fsync` of the log failed. Then the kernel may show pages of the log that
    /// never reached the disk, and what is appended behind them would be lost with the power, though its own `fsync`
    /// worked. So nothing is appended to a log that was not begun by this process.
    private static func finishLog(_ db: Database) throws {
        do {
            _ = try db.checkpoint(.truncate)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            // Somebody reads. That is no reason not to start, and says nothing of the disk.
        }
    }

    /// Files of an earlier Patchbay keep the room of what is deleted. To change that, SQLite writes the file anew,
    /// once.
    private static func makeShrinkable(_ db: Database) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") != 2 else { return }
        do {
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
            try finishLog(db)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL || error.resultCode == .SQLITE_BUSY {
            // No room for a second file, or somebody reads: it works as it is, and the next start tries again.
        }
    }

    static func configuration(_ settings: OutboxSettings) -> Configuration {
        var configuration = Configuration()
        configuration.label = "outbox"
        configuration.busyMode = .timeout(settings.lockWait.inSeconds)
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

    /// For whoever reads beside the store, on a connection of their own.
    static var readerConfiguration: Configuration {
        var configuration = Configuration()
        configuration.label = "outbox reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
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

    /// - Throws: a failure that lasts, where a file was deleted or replaced.
    func lookAfterFiles() throws { try watch.look() }

    /// All of it becomes durable, or nothing does; and it is found by who opens the file next.
    /// - Parameter sync: runs what waits for the disk.
    func commit(
        sync: (() throws -> Void) throws -> Void = { try $0() }, _ body: (Database) throws -> Void
    ) throws {
        try queue.writeWithoutTransaction { db in
            try db.beginTransaction(.immediate)
            do {
                try body(db)
                try sync {
                    try failCommit?()
                    try db.commit()
                    try watch.look()
                }
            } catch {
                // Where SQLite has rolled back by itself there is nothing left to do.
                if db.isInsideTransaction { try? db.rollback() }
                throw error
            }
        }
    }

    /// How many bytes are used, and how many are free for what comes.
    func room() throws -> (used: Int, free: Int) {
        try queue.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            return ((pages - free) * 4096, free * 4096)
        }
    }

    /// Moves pages from the file's end into free ones; it is shorter with the next checkpoint.
    func shrink(pages: Int) throws {
        try commit { try $0.execute(sql: "PRAGMA incremental_vacuum(\(pages))") }
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

    /// The same, and gives the log's room back to the disk. Where somebody reads or checkpoints it stays.
    /// - Returns: whether it is empty.
    func emptyLog() throws -> Bool {
        try queue.writeWithoutTransaction { db in
            let wait = try Int.fetchOne(db, sql: "PRAGMA busy_timeout") ?? 0
            try db.execute(sql: "PRAGMA busy_timeout = 0")
            defer { try? db.execute(sql: "PRAGMA busy_timeout = \(wait)") }
            do {
                _ = try db.checkpoint(.truncate)
                return true
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                return false
            }
        }
    }

    func close() throws {
        try queue.close()
    }

    /// Leaves the file as it is. Closing would checkpoint the write-ahead log and remove it, and what a connection says
    /// after a failed `fsync` is not to be believed: the next process reads the log from its beginning. Kept for as
    /// long as this process runs; it has nothing left to do but to end.
    func abandon() {
        _ = Unmanaged.passRetained(queue)
    }
}
