import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Synchronization
import Testing

@Suite("The fold")
struct FoldTests {
    private let scratch = Scratch()

    @Test("leaves one readable row a profile, and nothing of the log")
    func readable() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        for number in 1...3 {
            let time = noon + .milliseconds(number)
            _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "v\(number)"], at: time)))
        }
        await outbox.fold()
        let columns = "app || ' ' || reference || ' ' || value || ' ' || state || ' ' || waiting"
        let waiting = #"{"appsflyer_id":{"value":"v3","at":1791979200003,"sequence":3}}"#
        #expect(
            try query(scratch.file, "SELECT \(columns) FROM profile", as: String.self)
                == ["main customer_user_id ann waiting " + waiting])
        #expect(try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) == [0])

        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        await outbox.fold()
        let applied = #"{"appsflyer_id":{"value":"v3","at":1791979200003,"sequence":3,"confirmed":1791979200000}}"#
        #expect(
            try query(scratch.file, "SELECT state || applied FROM profile WHERE waiting IS NULL", as: String.self)
                == ["applied" + applied])
        #expect(try query(scratch.file, "SELECT count(*) FROM profile", as: Int.self) == [1])
        await outbox.close()
    }

    @Test("shows why the last attempt failed")
    func lastFailure() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .retry(at: noon, outage))
        await outbox.fold()
        #expect(
            try query(scratch.file, "SELECT attempts || ' ' || status || ' ' || code || ' ' || message FROM profile")
                == ["1 503 unavailable try later"])
        await outbox.close()
    }

    @Test("comes by itself, when the changes are old enough", arguments: [true, false])
    func byItself(byAge: Bool) async throws {
        var settings = OutboxSettings()
        settings.foldAfter = byAge ? .milliseconds(5) : .seconds(3600)
        settings.foldBacklog = byAge ? 1000 : 10
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for number in 0..<100 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        let bound = byAge ? 0 : 10
        for _ in 0..<2000 {
            if try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self)[0] <= bound { break }
            usleep(1000)
        }
        let rest = try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self)
        #expect(rest[0] <= bound)
        #expect(try query(scratch.file, "SELECT count(*) FROM profile", as: Int.self) == [100 - rest[0]])
        await outbox.close()
    }

    @Test("lets go of the whole log of a burst, though nothing comes after it", .timeLimit(.minutes(1)))
    func lastOfTheLog() async throws {
        var settings = OutboxSettings()
        settings.foldAfter = .milliseconds(5)
        settings.letGoSlice = 10
        settings.trimEvery = .seconds(3600)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let patches = (0..<200).map { patch("u\($0)", [.appsflyerID: "1"]) }
        _ = try await outbox.append(
            Submission(id: UniqueID(high: 0, low: 0), app: "main", origin: "o", patches: patches, received: noon))
        while try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) != [0] {
            try await Task.sleep(for: .milliseconds(5))
        }
        await outbox.close()
    }

    @Test("a profile that was forgotten is looked up: its row is changed, not doubled")
    func recalled() async throws {
        var settings = OutboxSettings.atNoon
        settings.mostRemembered = 0
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for round in 1...4 {
            for name in ["ann", "bob"] {
                let time = noon + .seconds(round)
                #expect(
                    try await outbox.append(submission(patch(name, [.appsflyerID: "\(round)"], at: time))) == [
                        .accepted
                    ])
            }
            try settleAll(await outbox.claim(9, of: "main", at: noon), in: outbox, as: .applied(at: noon))
            await outbox.fold()
            let same = submission(patch("ann", [.appsflyerID: "\(round)"], at: noon + .seconds(round)))
            #expect(try await outbox.append(same) == [.unchangedApplied])
        }
        #expect(try query(scratch.file, "SELECT value FROM profile ORDER BY value") == ["ann", "bob"])
        await outbox.close()
    }

    @Test("new rows are written in the order of their index, and the log is let go a little at a time")
    func inOrderOfTheIndex() async throws {
        var settings = OutboxSettings.atNoon
        settings.foldSlice = 32
        settings.letGoSlice = 50
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let patches = (0..<500).map { patch("user-\($0)", [.appsflyerID: "\($0)"]) }
        _ = try await outbox.append(
            Submission(id: UniqueID(high: 0, low: 0), app: "main", origin: "o", patches: patches, received: noon))
        let before = outbox.commits
        await outbox.fold()
        #expect(outbox.commits - before == 16 + 9)
        #expect(try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) == [0])
        #expect(try query(scratch.file, "SELECT through FROM folded", as: Int.self) == [500])
        #expect(try query(scratch.file, "SELECT count(DISTINCT value) FROM profile", as: Int.self) == [500])
        let disorder = "SELECT count(*) FROM profile a JOIN profile b ON b.id = a.id + 1 WHERE b.key < a.key"
        #expect(try query(scratch.file, disorder, as: Int.self) == [0])
        await outbox.close()
    }

    // Regression: what was old enough to be folded was all that was folded, so that a fold never ended.
    @Test("under a steady stream a fold comes now and then, not with every commit")
    func nowAndThen() async throws {
        let now = Mutex(noon)
        var settings = OutboxSettings()
        settings.clock = { now.withLock { $0 } }
        settings.foldAfter = .seconds(4)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let appends = 1200
        for number in 0..<appends {
            now.withLock { $0 = $0 + .milliseconds(10) }
            _ = try await outbox.append(submission(patch("user-\(number)", [.appsflyerID: "1"])))
        }
        // Twelve seconds, in which it begins three times.
        #expect(outbox.commits - appends < 60)
        #expect(try query(scratch.file, "SELECT count(*) FROM profile", as: Int.self)[0] > 700)
        await outbox.close()
    }

    @Test("a slice of large rows is a short one")
    func sliceIsBoundedByBytes() async throws {
        var settings = OutboxSettings.atNoon
        settings.foldSliceBytes = 10_000
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let patches = [20_000] + Array(repeating: 3000, count: 9)
        for (number, size) in patches.enumerated() {
            let value = String(repeating: "x", count: size)
            _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: value])))
        }
        let before = outbox.commits
        await outbox.fold()
        // The one that is larger than all that a slice may have, and three times three.
        #expect(outbox.commits - before == 4)
        await outbox.close()
    }

    @Test("keeps the write-ahead log bounded while commits never pause")
    func logIsBounded() async throws {
        var settings = OutboxSettings()
        settings.checkpointBytes = 1 << 16
        settings.mostLogBytes = 1 << 18
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let written = 3000
        await withTaskGroup { group in
            for caller in 0..<4 {
                group.addTask {
                    for number in 0..<written / 4 {
                        _ = try? await outbox.append(
                            submission(
                                patch("u\(caller)-\(number)", [.appsflyerID: String(repeating: "x", count: 3000)])))
                    }
                }
            }
        }
        var status = stat()
        #expect(stat(scratch.file + "-wal", &status) == 0)
        // More than 9 MB of rows went through it.
        #expect(status.st_size < 3 << 20)
        await outbox.close()
    }

    // SQLite's own patience with a reader is 5 seconds, for each append: more than the limit in all.
    @Test(
        "a reader that stays keeps no append waiting, and the log is bounded again when it has gone",
        .timeLimit(.minutes(3)))
    func readerStays() async throws {
        var settings = OutboxSettings()
        settings.checkpointBytes = 1 << 14
        settings.mostLogBytes = 1 << 16
        settings.checkpointAgainAfter = .milliseconds(1)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        func append(_ numbers: Range<Int>) async throws {
            let value = String(repeating: "x", count: 3000)
            for number in numbers {
                _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: value])))
            }
        }
        try await append(0..<1)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: scratch.file, configuration: configuration)
        try await reader.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN")
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM accepted")
        }
        try await append(1..<80)

        try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        try await append(80..<600)
        var status = stat()
        #expect(stat(scratch.file + "-wal", &status) == 0)
        #expect(status.st_size < 2 << 20)
        try reader.close()
        await outbox.close()
    }
}
