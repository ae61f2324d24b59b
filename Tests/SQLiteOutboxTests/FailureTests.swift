import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Synchronization
import Testing

@Suite("When the disk or the file fails")
struct FailureTests {
    private let scratch = Scratch()

    @Test("a full disk refuses, nothing of the refused remains, and room makes it writable again")
    func fullDisk() async throws {
        var settings = OutboxSettings.atNoon
        settings.mostPages = 64
        settings.probeEvery = .milliseconds(1)
        let events = Mutex<[OutboxEvent]>([])
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { event in
            events.withLock { $0.append(event) }
        } onDue: { _ in
        }
        let value = String(repeating: "x", count: 2000)
        var accepted = 0
        var failure: OutboxFailure?
        while failure == nil, accepted < 1000 {
            do {
                _ = try await outbox.append(submission(patch("u\(accepted)", [.appsflyerID: value])))
                accepted += 1
            } catch {
                failure = error
            }
        }
        guard case .full = failure else { throw Unexpected(failure) }
        #expect(!outbox.isWritable)
        #expect(await outbox.census().map(\.waiting) == [accepted])
        let claim = await outbox.claim(1000, of: "main", at: noon)
        #expect(claim.deliveries.count == accepted)
        // The last one refused is as new as it ever was.
        await #expect(throws: OutboxFailure.self) {
            try await outbox.append(submission(patch("u\(accepted)", [.appsflyerID: value])))
        }
        #expect(await outbox.claim(1000, of: "main", at: noon).deliveries.isEmpty)
        // However many are refused, it is told once.
        #expect(events.withLock { $0 } == [.unwritable(.full("SQLite 13: database or disk is full"))])

        try makeRoom(in: scratch.file)
        while !outbox.isWritable { try await Task.sleep(for: .milliseconds(1)) }
        #expect(
            try await outbox.append(submission(patch("u\(accepted)", [.appsflyerID: "short"]))) == [.accepted])
        #expect(events.withLock { $0.dropFirst() } == [.writable])
        await outbox.close()
    }

    @Test(
        "a disk that fills up refuses while there is room to forget what was delivered, and so makes room",
        .timeLimit(.minutes(1)))
    func fillsUp() async throws {
        var settings = OutboxSettings.atNoon
        settings.probeEvery = .milliseconds(1)
        settings.reserveBytes = 1 << 20
        let disk = 4 << 20
        settings.room = { path in disk - bytes(of: path) - bytes(of: path + "-wal") }
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let value = String(repeating: "x", count: 2000)
        var accepted = 0
        for _ in 0..<3 {
            let before = accepted
            await #expect(throws: OutboxFailure.self) {
                while accepted < 10_000 {
                    _ = try await outbox.append(submission(patch("u\(accepted)", [.appsflyerID: value])))
                    accepted += 1
                }
            }
            #expect(accepted > before)
            var claim = await outbox.claim(10_000, of: "main", at: noon)
            #expect(claim.deliveries.count == accepted - before)
            try settleAll(claim, in: outbox, as: .applied(at: noon))
            while !outbox.isWritable {
                try await Task.sleep(for: .milliseconds(1))
            }
            claim = await outbox.claim(10_000, of: "main", at: noon)
            #expect(claim.deliveries.isEmpty)
        }
        await outbox.close()
    }

    @Test("a second process is told who has the file")
    func inUse() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: scratch.file) { _ in } }
        #expect(error.problem == .inUse)
        #expect(error.description.contains("is held by process \(getpid())"))
        await outbox.close()
        let next = try SQLiteOutbox(path: scratch.file) { _ in }
        await next.close()
    }

    @Test("a file that is no database is left alone")
    func noDatabase() throws {
        let path = scratch.path + "/notes.txt"
        let bytes = Array(String(repeating: "these are my notes. ", count: 500).utf8)
        let file = open(path, O_WRONLY | O_CREAT, 0o600)
        _ = write(file, bytes, bytes.count)
        close(file)
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: path) { _ in } }
        #expect(error.problem == .corrupt && error.path == path)
    }

    @Test("another program's database is left alone")
    func anotherProgram() throws {
        let path = scratch.path + "/other.db"
        try edit(path, "CREATE TABLE mine (id INTEGER)")
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: path) { _ in } }
        #expect(error.problem == .corrupt)
        #expect(try query(path, "SELECT name FROM sqlite_schema", as: String.self) == ["mine"])
    }

    @Test("another program's write-ahead log is left alone")
    func anotherProgramsLog() throws {
        let path = scratch.path + "/other.db"
        let left = try DatabaseQueue(path: path)
        try left.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; CREATE TABLE mine (id INTEGER)")
        }
        for suffix in ["", "-wal"] { copyFile(path + suffix, scratch.copy + suffix) }
        #expect(throws: OutboxOpenError.self) { try SQLiteOutbox(path: scratch.copy) { _ in } }
        for suffix in ["", "-wal"] { #expect(content(of: scratch.copy + suffix) == content(of: path + suffix)) }
        try left.close()
    }

    @Test("a damaged page is found at the start")
    func damaged() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        for number in 0..<2000 { outbox.settle(nobody(number), as: .released) }
        let patches = (0..<2000).map { patch("u\($0)", [.appsflyerID: "1"]) }
        _ = try await outbox.append(
            Submission(id: UniqueID(high: 0, low: 0), app: "main", origin: "o", patches: patches, received: noon))
        await outbox.close()
        let file = open(scratch.file, O_RDWR)
        let garbage = [UInt8](repeating: 0xa5, count: 4096)
        let size = lseek(file, 0, SEEK_END)
        for offset in stride(from: 4096 * 4, to: size, by: 4096) { pwrite(file, garbage, garbage.count, offset) }
        close(file)
        copyFile(scratch.file, scratch.copy)
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: scratch.file) { _ in } }
        #expect(error.problem == .corrupt)
        #expect(content(of: scratch.file) == content(of: scratch.copy), "not even a counter is written")
    }

    @Test("after a failed fsync nothing is accepted, whatever works later, until a new process has read the file")
    func failedSync() async throws {
        let isFailing = Mutex(false)
        let events = Mutex<[OutboxEvent]>([])
        var settings = OutboxSettings.atNoon
        settings.probeEvery = .milliseconds(1)
        settings.failCommit = {
            guard isFailing.withLock({ $0 }) else { return }
            throw DatabaseError(resultCode: .SQLITE_IOERR_FSYNC, message: "disk I/O error")
        }
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { event in
            events.withLock { $0.append(event) }
        } onDue: { _ in
        }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let failure = OutboxFailure.unavailable("SQLite 1034: disk I/O error")
        isFailing.withLock { $0 = true }
        await #expect(throws: failure) { try await outbox.append(submission(patch("bob", [.appsflyerID: "1"]))) }
        isFailing.withLock { $0 = false }
        await #expect(throws: failure) { try await outbox.append(submission(patch("cid", [.appsflyerID: "1"]))) }
        #expect(!outbox.isWritable)
        #expect(events.withLock { $0 } == [.broken(failure)])
        // What was accepted before goes on being delivered.
        #expect(await outbox.claim(9, of: "main", at: noon).deliveries.map(\.profile) == [user("ann")])
        await outbox.close()
        // Not even the log is touched any more.
        #expect(access(scratch.file + "-wal", F_OK) == 0)
        let next = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        #expect(await next.claim(9, of: "main", at: noon).deliveries.map(\.profile) == [user("ann")])
        #expect(try await next.append(submission(patch("bob", [.appsflyerID: "1"]))) == [.accepted])
        await next.close()
    }

    @Test("nothing is appended to a write-ahead log that another process left behind")
    func logIsFinished() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        for suffix in ["", "-wal"] { copyFile(scratch.file + suffix, scratch.copy + suffix) }
        await outbox.close()
        let copy = try SQLiteOutbox(path: scratch.copy, settings: .atNoon) { _ in }
        var status = stat()
        #expect(stat(scratch.copy + "-wal", &status) == 0 && status.st_size == 0)
        #expect(await copy.claim(9, of: "main", at: noon).deliveries.count == 1)
        await copy.close()
    }

    @Test("a file that somebody has locked is named as in use at the start")
    func lockedAtStart() async throws {
        await (try SQLiteOutbox(path: scratch.file) { _ in }).close()
        let other = try stranger()
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        var settings = OutboxSettings()
        settings.lockWait = .milliseconds(10)
        let error = try #require(throws: OutboxOpenError.self) {
            try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        }
        #expect(error.problem == .inUse && error.description.contains("database is locked"))
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
    }

    @Test("a file that somebody locks refuses, and is written again as soon as it is free")
    func lockedLater() async throws {
        var settings = OutboxSettings.atNoon
        settings.lockWait = .milliseconds(10)
        settings.probeEvery = .milliseconds(1)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let other = try stranger()
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        await #expect(throws: OutboxFailure.unavailable("SQLite 5: database is locked")) {
            try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        }
        #expect(!outbox.isWritable)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
        while !outbox.isWritable { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try await outbox.append(submission(patch("ann", [.appsflyerID: "1"]))) == [.accepted])
        await outbox.close()
    }

    @Test("a newer schema is refused")
    func newerSchema() async throws {
        await (try SQLiteOutbox(path: scratch.file) { _ in }).close()
        try edit(scratch.file, "PRAGMA user_version = 99")
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: scratch.file) { _ in } }
        #expect(error.problem == .newerSchema)
        #expect(error.cause == "its schema is 99, this program knows 3")
    }

    @Test("a place that cannot be written is named", arguments: ["/proc/patchbay/outbox.db", "/sys/outbox.db"])
    func notWritable(path: String) throws {
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: path) { _ in } }
        #expect(error.problem == .notWritable && error.description.contains(path))
    }

    @Test("a column that is not ours stops the start instead of losing what waits")
    func unreadableColumn() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        await outbox.close()
        try edit(scratch.file, "UPDATE profile SET waiting = '{\"appsflyer_id\":'")
        let error = try #require(throws: OutboxOpenError.self) { try SQLiteOutbox(path: scratch.file) { _ in } }
        #expect(error.problem == .corrupt)
    }

    /// A person with `sqlite3`, who may leave a transaction open.
    private func stranger() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: scratch.file, configuration: configuration)
    }

    private struct Unexpected: Error {
        init(_: OutboxFailure?) {}
    }

    private func nobody(_ number: Int) -> Delivery {
        Delivery(app: "main", profile: user("nobody\(number)"), patch: MergedPatch(), since: noon)
    }

    private func edit(_ path: String, _ sql: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// A person with `sqlite3` removes the log's newest half: the pages become free ones.
    private func makeRoom(in path: String) throws {
        try edit(path, "DELETE FROM accepted WHERE sequence % 2 = 0")
    }
}
