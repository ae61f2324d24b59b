import Glibc
import Relay
import SQLiteOutbox
import Synchronization
import Testing

/// SQLite writes on to what it has open, whatever became of the name.
@Suite("An outbox whose files are taken away")
struct TakenAwayTests {
    private let scratch = Scratch()

    enum Way: String, CaseIterable, CustomTestStringConvertible {
        case databaseDeleted = "the database is deleted"
        case databaseReplaced = "another file is moved over the database"
        case logDeleted = "the write-ahead log is deleted"
        case logReplaced = "another file is moved over the write-ahead log"
        case indexDeleted = "the log's index is deleted"
        case lockDeleted = "the lock is deleted"
        case lockReplaced = "another file is moved over the lock"
        case directoryDeleted = "the directory is deleted"
        case directoryReplaced = "another directory stands in its place"

        var testDescription: String { rawValue }

        func happen(to path: String) {
            let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
            func replace(_ path: String) {
                copyFile(path, path + ".new")
                rename(path + ".new", path)
            }
            switch self {
            case .databaseDeleted: unlink(path)
            case .databaseReplaced: replace(path)
            case .logDeleted: unlink(path + "-wal")
            case .logReplaced: replace(path + "-wal")
            case .indexDeleted: unlink(path + "-shm")
            case .lockDeleted: unlink(path + ".lock")
            case .lockReplaced: replace(path + ".lock")
            case .directoryDeleted: rename(folder, folder + ".gone")
            case .directoryReplaced:
                rename(folder, folder + ".gone")
                mkdir(folder, 0o700)
                for end in ["", "-wal", "-shm", ".lock"] { copyFile(folder + ".gone/patchbay.db" + end, path + end) }
            }
        }
    }

    private func open(
        _ path: String? = nil, lookEvery: Duration = .seconds(600)
    ) throws -> SQLiteOutbox {
        var settings = OutboxSettings.atNoon
        settings.lookEvery = lookEvery
        return try SQLiteOutbox(path: path ?? scratch.file, settings: settings) { _ in }
    }

    @Test("accepts nothing from that moment on", arguments: Way.allCases)
    func nothingIsAccepted(way: Way) async throws {
        let outbox = try open()
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        way.happen(to: scratch.file)
        await #expect(throws: OutboxFailure.self) {
            try await outbox.append(submission(patch("bob", [.appsflyerID: "2"])))
        }
        #expect(!outbox.isWritable)
        // For good: what comes back under that name is another file.
        await #expect(throws: OutboxFailure.self) {
            try await outbox.append(submission(patch("cid", [.appsflyerID: "3"])))
        }
        await outbox.close()
    }

    @Test("notices though nothing comes", .timeLimit(.minutes(1)), arguments: Way.allCases)
    func noticedWhenIdle(way: Way) async throws {
        let outbox = try open(lookEvery: .milliseconds(20))
        way.happen(to: scratch.file)
        while outbox.isWritable { try await Task.sleep(for: .milliseconds(10)) }
        await outbox.close()
    }

    @Test("says which file, in a sentence")
    func words() async throws {
        let said = Mutex<[OutboxEvent]>([])
        var settings = OutboxSettings.atNoon
        settings.lookEvery = .seconds(600)
        let outbox = try SQLiteOutbox(
            path: scratch.file, settings: settings, onEvent: { event in said.withLock { $0.append(event) } }
        ) { _ in }
        unlink(scratch.file)
        await #expect(throws: OutboxFailure.self) {
            try await outbox.append(submission(patch("bob", [.appsflyerID: "2"])))
        }
        let sentence = "\(scratch.file) was taken away while it was in use (stat: No such file or directory)"
        #expect(said.withLock { $0 } == [.broken(.unavailable(sentence))])
        await outbox.close()
    }

    @Test(
        "a reader, a checkpoint that empties the log, a backup and a second name take nothing away"
    )
    func legitimate() async throws {
        let outbox = try open(lookEvery: .milliseconds(1))
        for number in 0..<20 {
            #expect(try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) == [.accepted])
            _ = try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self)
            _ = try query(scratch.file, "PRAGMA wal_checkpoint(TRUNCATE)", as: Int.self)
            if number == 10 { _ = try await outbox.backup(to: scratch.path + "/copy.db") }
            if number == 15 { #expect(link(scratch.file, scratch.path + "/second.db") == 0) }
        }
        #expect(outbox.isWritable)
        await outbox.close()
        // Served by this name before: the link changes nothing for it.
        await (try open()).close()
    }

    // MARK: One process a file

    @Test("a file that is served is refused by its other names, hard links and symbolic ones")
    func otherNames() async throws {
        let outbox = try open()
        let (hard, soft) = (scratch.path + "/hard.db", scratch.path + "/soft.db")
        #expect(link(scratch.file, hard) == 0 && symlink(scratch.file, soft) == 0)
        for name in [hard, soft] {
            let error = try #require(throws: OutboxOpenError.self) { try open(name) }
            #expect(error.problem == .inUse, "\(error)")
            #expect(access(name + ".lock", F_OK) != 0)
        }
        #expect(try await outbox.append(submission(patch("ann", [.appsflyerID: "1"]))) == [.accepted])
        await outbox.close()
    }

    @Test("a file that was served by one name is not opened by a hard link, where its log would not be found")
    func anotherNameLater() async throws {
        await (try open()).close()
        let hard = scratch.path + "/hard.db"
        #expect(link(scratch.file, hard) == 0)
        let error = try #require(throws: OutboxOpenError.self) { try open(hard) }
        #expect(error.description.contains("hard link, one of 2 names"), "\(error)")
        await (try open()).close()
    }

    @Test("through a symbolic link it is the same outbox, log and all; who changes the link takes it away")
    func symbolicLink() async throws {
        await (try open()).close()
        let soft = scratch.path + "/soft.db"
        #expect(symlink(scratch.file, soft) == 0)
        let outbox = try open(soft)
        #expect(try await outbox.append(submission(patch("ann", [.appsflyerID: "1"]))) == [.accepted])
        #expect(throws: OutboxOpenError.self) { try open() }
        unlink(soft)
        #expect(symlink(scratch.path + "/elsewhere.db", soft) == 0)
        await #expect(throws: OutboxFailure.self) {
            try await outbox.append(submission(patch("bob", [.appsflyerID: "1"])))
        }
        await outbox.close()
    }

    @Test("an older process, which locks the name alone, is respected")
    func olderProcess() throws {
        mkdir(scratch.path + "/var", 0o700)
        let older = Glibc.open(scratch.file + ".lock", O_RDWR | O_CREAT, 0o600)
        defer { close(older) }
        #expect(flock(older, LOCK_EX | LOCK_NB) == 0)
        let error = try #require(throws: OutboxOpenError.self) { try open() }
        #expect(error.problem == .inUse)
    }
}
