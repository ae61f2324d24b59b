import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Synchronization
import Testing

@Suite("What the outbox forgets")
struct RetentionTests {
    private let scratch = Scratch()
    private let clock = HandClock()

    /// Looks all the time, and gives every free page back.
    private var settings: OutboxSettings {
        var settings = clock.settings
        settings.trimEvery = .milliseconds(1)
        settings.sweepEvery = .milliseconds(1)
        settings.trimPause = .zero
        settings.trimSlice = 8
        settings.freeBytes = 0
        settings.foldAfter = .zero
        settings.checkpointAfter = .milliseconds(1)
        return settings
    }

    @Test("profiles delivered long ago, in the file and in memory; nothing that waits, and nothing younger")
    func applied() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for number in 0..<50 { _ = try await outbox.append(submission(patch("old\(number)", [.appsflyerID: "1"]))) }
        try settleAll(await outbox.claim(50, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        _ = try await outbox.append(submission(patch("waits", [.appsflyerID: "1"])))
        await outbox.fold()
        clock.advance(by: .seconds(29 * 86_400))
        _ = try await outbox.append(submission(patch("young", [.appsflyerID: "1"])))
        let claim = await outbox.claim(50, of: "main", at: clock.now)
        for delivery in claim.deliveries where delivery.profile == user("young") {
            outbox.settle(delivery, as: .applied(at: clock.now))
        }
        await outbox.fold()
        clock.advance(by: .seconds(86_400))
        try await until { try names() == ["waits", "young"] }
        // What is forgotten is news again, in memory too.
        #expect(try await outbox.append(submission(patch("old7", [.appsflyerID: "1"]))) == [.accepted])
        #expect(await outbox.census().map(\.waiting) == [2])
        await outbox.close()
        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        #expect(
            Set(await again.claim(9, of: "main", at: clock.now).deliveries.map(\.profile)) == [
                user("waits"), user("old7"),
            ])
        await again.close()
    }

    @Test("profiles of any age where the file is too large, but none that waits; and the file shrinks")
    func size() async throws {
        var settings = settings
        settings.mostFileBytes = 256 << 10
        settings.trimEvery = .seconds(3600)
        let value = String(repeating: "x", count: 4000)
        let filling = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for number in 0..<300 { _ = try await filling.append(submission(patch("d\(number)", [.appsflyerID: value]))) }
        try settleAll(await filling.claim(300, of: "main", at: noon), in: filling, as: .applied(at: noon))
        for number in 0..<20 { _ = try await filling.append(submission(patch("w\(number)", [.appsflyerID: value]))) }
        await filling.close()
        let full = size(scratch.file)
        #expect(full > 1 << 20)

        settings.trimEvery = .milliseconds(1)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        try await until { size(scratch.file) < 400 << 10 }
        #expect(try names().count { $0.hasPrefix("w") } == 20)
        #expect(await outbox.census().map(\.waiting) == [20])
        await outbox.close()
        #expect(try query(scratch.file, "PRAGMA integrity_check", as: String.self) == ["ok"])
    }

    @Test("dead letters after their time, and it is said how many")
    func deadLetters() async throws {
        let events = Mutex<[OutboxEvent]>([])
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { event in
            events.withLock { $0.append(event) }
        } onDue: { _ in
        }
        for number in 0..<20 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        let claim = await outbox.claim(20, of: "main", at: noon)
        for delivery in claim.deliveries.prefix(19) { outbox.settle(delivery, as: .dead(at: noon, rejection)) }
        clock.advance(by: .seconds(86_400))
        outbox.settle(claim.deliveries[19], as: .dead(at: clock.now, rejection))
        #expect(await outbox.census().map(\.deadLetters) == [20])
        clock.advance(by: .seconds(29 * 86_400 + 1))
        try await until { await outbox.census().map(\.deadLetters) == [1] }
        try await until { events.withLock { $0 } == [.deadLettersRemoved(app: "main", count: 19)] }
        #expect(try query(scratch.file, "SELECT value FROM dead_letter", as: String.self) == ["u19"])
        await outbox.close()
    }

    @Test("a profile that comes and is forgotten again and again leaves nothing behind, and is never lost")
    func again() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for _ in 0..<20 {
            let now = clock.now
            #expect(
                try await outbox.append(submission(patch("ann", [.appsflyerID: "1"], at: now), received: now)) == [
                    .accepted
                ])
            try settleAll(await outbox.claim(1, of: "main", at: now), in: outbox, as: .applied(at: now))
            await outbox.fold()
            clock.advance(by: .seconds(31 * 86_400))
            try await until { try names().isEmpty }
        }
        await outbox.close()
    }

    @Test("an earlier Patchbay's file, which keeps its room, learns to shrink and loses nothing")
    func earlierFile() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        await outbox.close()
        var configuration = Configuration()
        configuration.journalMode = .default
        let queue = try DatabaseQueue(path: scratch.file, configuration: configuration)
        try await queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM")
        }
        try queue.close()
        #expect(try query(scratch.file, "PRAGMA auto_vacuum", as: Int.self) == [0])
        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        #expect(try query(scratch.file, "PRAGMA auto_vacuum", as: Int.self) == [2])
        #expect(await again.claim(9, of: "main", at: noon).deliveries.map(\.profile) == [user("ann")])
        await again.close()
    }

    private func names() throws -> [String] {
        try query(scratch.file, "SELECT value FROM profile ORDER BY value", as: String.self)
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The store works on its own thread.
    private func until(_ isDone: () async throws -> Bool) async throws {
        for _ in 0..<3000 {
            if try await isDone() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("it did not come to that")
    }
}
