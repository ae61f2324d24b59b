import GRDB
import Glibc
import Relay
import Testing

@testable import SQLiteOutbox

/// What `patchbay outbox` reads while no node answers.
@Suite("An outbox that is only read")
struct SnapshotTests {
    private let scratch = Scratch()
    private let clock = HandClock()

    /// One of each: dead, retrying, waiting, applied; a minute apart.
    private func filled() async throws -> SQLiteOutbox {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        for name in ["dead", "retrying", "applied", "waiting"] {
            _ = try await outbox.append(submission(patch(name, [.appsflyerID: "v-\(name)"])))
            clock.advance(by: .seconds(60))
        }
        let claimed = await outbox.claim(3, of: "main", at: clock.now).deliveries
        outbox.settle(claimed[0], as: .dead(at: clock.now, rejection))
        outbox.settle(claimed[1], as: .retry(at: clock.now + .seconds(60), outage))
        outbox.settle(claimed[2], as: .applied(at: clock.now))
        await outbox.fold()
        return outbox
    }

    private func states(_ desk: some OutboxDesk) async throws -> [String: Int] {
        try await desk.survey(DeskFilter(), limit: 100).counts
            .reduce(into: [:]) { $0[$1.key.state.rawValue] = $1.value }
    }

    @Test("says what a node would say of it, also of what a killed one left in its log", arguments: [true, false])
    func afterKill(hasIndex: Bool) async throws {
        let outbox = try await filled()
        _ = try await outbox.append(submission(patch("late", [.branchID: "b"])))
        // As kill -9 leaves it.
        let copy = scratch.path + "/copy.db"
        for end in ["", "-wal"] + (hasIndex ? ["-shm"] : []) { copyFile(scratch.file + end, copy + end) }
        await outbox.close()
        let (before, log) = (content(of: copy), content(of: copy + "-wal"))
        #expect(!log.isEmpty)
        let snapshot = try OutboxSnapshot(path: copy, settings: clock.settings)
        #expect(try await states(snapshot) == ["dead": 1, "retrying": 1, "waiting": 2])
        let shown = try await snapshot.show(DeskProfileName("applied") { _ in "" }, pausedApps: [])
        #expect(shown.map { $0.applied.map(\.field.value) } == [[.text("v-applied")]])
        #expect(content(of: copy) == before && content(of: copy + "-wal") == log)
        #expect(access(copy + ".lock", F_OK) != 0)
        let node = try SQLiteOutbox(path: copy, settings: clock.settings) { _ in }
        #expect(try await states(node) == ["dead": 1, "retrying": 1, "waiting": 2])
        await node.close()
    }

    @Test("keeps no node from starting, nor from working, and no node keeps it from reading")
    func beside() async throws {
        await (try await filled()).close()
        let before = try OutboxSnapshot(path: scratch.file, settings: clock.settings)
        #expect(!SQLiteOutbox.isHeld(scratch.file))
        let node = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        #expect(SQLiteOutbox.isHeld(scratch.file))
        _ = try await node.append(submission(patch("late", [.branchID: "b"])))
        #expect(try await states(before)["waiting"] == 1)
        let beside = try OutboxSnapshot(path: scratch.file, settings: clock.settings)
        #expect(try await states(beside)["waiting"] == 2)
        _ = try await node.append(submission(patch("later", [.branchID: "b"])))
        #expect(node.isWritable)
        await node.close()
    }

    @Test("reads a file of an earlier Patchbay, and leaves it as it is")
    func earlier() async throws {
        let path = scratch.path + "/old.db"
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "1 outbox")
        try await queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO accepted VALUES (2, 'main', 'customer_user_id', 'bob', '{"branch_id":"2"}',
                        \(noon.milliseconds), \(noon.milliseconds), 'o', '-')
                    """)
        }
        try queue.close()
        let snapshot = try OutboxSnapshot(path: path, settings: clock.settings)
        #expect(try await states(snapshot) == ["waiting": 1])
        #expect(try query(path, "PRAGMA user_version", as: Int.self) == [1])
    }

    @Test("says that a node could not write, where its disk is full")
    func fullDisk() async throws {
        await (try await filled()).close()
        var settings = clock.settings
        settings.room = { _ in 4096 }
        let snapshot = try OutboxSnapshot(path: scratch.file, settings: settings)
        #expect(snapshot.trouble == .full("4096 bytes free on the disk, 4194304 have to be"))
    }

    @Test("who opens it to change something forgets nothing, however old it is and however long that takes")
    func maintenance() async throws {
        await (try await filled()).close()
        clock.advance(by: .seconds(400 * 86_400))
        for (forgets, left) in [(false, 1), (true, 0)] {
            var settings = clock.settings
            settings.forgets = forgets
            settings.trimEvery = .milliseconds(1)
            let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
            for _ in 0..<200 {
                try await Task.sleep(for: .milliseconds(5))
                if try query(scratch.file, "SELECT count(*) FROM dead_letter", as: Int.self) == [0] { break }
            }
            #expect(try query(scratch.file, "SELECT count(*) FROM dead_letter", as: Int.self) == [left])
            await outbox.close()
        }
    }
}
