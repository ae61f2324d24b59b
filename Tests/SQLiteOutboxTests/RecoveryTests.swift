import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Synchronization
import Testing

/// What is found when the process was killed: the files are copied while the outbox is open, and the copy is opened.
@Suite("After a crash")
struct RecoveryTests {
    private let scratch = Scratch()

    @Test(
        "everything that was accepted is there, the newest of each field, and the consumer is told",
        .timeLimit(.minutes(1)), arguments: [false, true])
    func everythingIsThere(isFolded: Bool) async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        for number in 0..<300 {
            _ = try await outbox.append(submission(patch("u\(number % 100)", [.appsflyerID: "v\(number)"])))
            if isFolded && number == 150 { await outbox.fold() }
        }
        let due = DueLog()
        let copy = try reopen { due.note($0) }
        while due.apps.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        #expect(due.apps == ["main"])
        let claim = await copy.claim(1000, of: "main", at: noon)
        let found = Dictionary(uniqueKeysWithValues: claim.deliveries.map { ($0.profile, $0.patch.identifiers) })
        let expected = (200..<300).map { (user("u\($0 % 100)"), IntegrationIdentifiers([.appsflyerID: "v\($0)"])) }
        #expect(found == Dictionary(uniqueKeysWithValues: expected))
        await copy.close()
        await outbox.close()
    }

    @Test("what was delivered and folded is not delivered again, and is known")
    func deliveredIsKnown() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        let same = submission(patch("ann", [.appsflyerID: "1"]))
        _ = try await outbox.append(same)
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        await outbox.fold()
        let copy = try reopen()
        #expect(await copy.claim(9, of: "main", at: noon).deliveries.isEmpty)
        #expect(try await copy.append(same) == [.unchangedApplied])
        let late = submission(patch("ann", [.appsflyerID: "old"], at: noon + .seconds(-1)))
        #expect(try await copy.append(late) == [.unchangedApplied])
        await copy.close()
        await outbox.close()
    }

    @Test("a delivery that was settled just before is at most made again")
    func atMostAgain() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        _ = await outbox.census()
        let copy = try reopen()
        #expect(await copy.claim(9, of: "main", at: noon).deliveries.map(\.profile) == [user("ann")])
        await copy.close()
        await outbox.close()
    }

    @Test("a dead letter stays dead, though the log still speaks of it")
    func deadStaysDead() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "bad"])))
        _ = try await outbox.append(submission(patch("bob", [.appsflyerID: "1"])))
        let claim = await outbox.claim(1, of: "main", at: noon)
        try settleAll(claim, in: outbox, as: .dead(at: noon, rejection))
        _ = await outbox.census()
        let copy = try reopen()
        #expect(await copy.claim(9, of: "main", at: noon).deliveries.map(\.profile) == [user("bob")])
        #expect(await copy.census() == [Census(app: "main", waiting: 1, oldestAge: .zero, deadLetters: 1)])
        #expect(
            try query(
                scratch.copy, "SELECT value || field || field_value || status || code FROM dead_letter", as: String.self
            )
                == ["annappsflyer_idbad400validation_error"])
        await copy.close()
        await outbox.close()
    }

    @Test("a retry is due when it was, with its attempts")
    func retriesKeepTheirTime() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let due = noon + .seconds(60)
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .retry(at: due, outage))
        await outbox.fold()
        let copy = try reopen()
        #expect(await copy.claim(9, of: "main", at: noon).nextDue == due)
        let claim = await copy.claim(9, of: "main", at: due)
        #expect(claim.deliveries.map(\.attempts) == [1])
        #expect(claim.deliveries.map(\.failingSince) == [noon])
        await copy.close()
        await outbox.close()
    }

    @Test("a patch without a time is on top of one with a time ahead, also from the log", arguments: [false, true])
    func untimedStaysOnTop(isFolded: Bool) async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"], at: noon + .seconds(3600))))
        if isFolded { await outbox.fold() }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "2"], at: nil)))
        let copy = try reopen()
        #expect(
            await copy.claim(9, of: "main", at: noon).deliveries.map(\.patch.identifiers)
                == [IntegrationIdentifiers([.appsflyerID: "2"])])
        await copy.close()
        await outbox.close()
    }

    @Test("what comes after the fold goes on top of the row")
    func logOnTopOfRow() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1", .branchID: "b"])))
        await outbox.fold()
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "2"], at: noon + .seconds(1))))
        let copy = try reopen()
        #expect(
            await copy.claim(9, of: "main", at: noon).deliveries.map(\.patch.identifiers)
                == [IntegrationIdentifiers([.appsflyerID: "2", .branchID: "b"])])
        await copy.close()
        await outbox.close()
    }

    @Test("a fold that is half done has let go of no more than it has written")
    func halfFolded() async throws {
        var settings = OutboxSettings.atNoon
        settings.foldBacklog = 0
        settings.foldSlice = 10
        settings.foldBatch = 20
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let patches = (0..<100).map { patch("u\($0)", [.appsflyerID: "1"]) }
        _ = try await outbox.append(
            Submission(id: UniqueID(high: 0, low: 0), app: "main", origin: "o", patches: patches, received: noon))
        _ = await outbox.census()
        let copy = try reopen()
        #expect((1..<100).contains(try query(scratch.copy, "SELECT count(*) FROM accepted", as: Int.self)[0]))
        #expect(await copy.claim(1000, of: "main", at: noon).deliveries.count == 100)
        await copy.close()
        await outbox.close()
    }

    @Test("places in the order of arrival are never given twice")
    func sequencesGoOn() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        for number in 0..<5 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        await outbox.fold()
        #expect(try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) == [0])
        await outbox.close()
        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await again.append(submission(patch("new", [.appsflyerID: "1"])))
        #expect(try query(scratch.file, "SELECT sequence FROM accepted", as: Int.self) == [6])
        await again.close()
    }

    // Regression: a row said that it contains the log up to places that only failed commits had taken. After a crash
    // they were taken again, and after the next one what had come with them was passed over.
    @Test("what is accepted after a crash is there after the next, though commits had failed", .timeLimit(.minutes(1)))
    func burntPlaces() async throws {
        let clock = HandClock()
        let commitsLeft = Mutex<Int?>(nil)
        var settings = clock.settings
        settings.probeEvery = .milliseconds(1)
        settings.foldSlice = 1
        settings.failCommit = {
            try commitsLeft.withLock { left in
                guard let some = left else { return }
                guard some > 0 else { throw DatabaseError(resultCode: .SQLITE_FULL) }
                left = some - 1
            }
        }
        let names = ["ann", "bob", "cid"]
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for name in names { _ = try await outbox.append(submission(patch(name, [.appsflyerID: "1"]))) }
        commitsLeft.withLock { $0 = 0 }
        for number in 0..<9 {
            let refused = submission(patch("ann", [.appsflyerID: "refused \(number)"]))
            await #expect(throws: OutboxFailure.self) { try await outbox.append(refused) }
        }
        clock.advance(by: .seconds(10))
        // Two for the probe, and one for a slice of one profile.
        commitsLeft.withLock { $0 = 3 }
        while commitsLeft.withLock({ $0 != 0 }) { try await Task.sleep(for: .milliseconds(1)) }
        _ = await outbox.census()
        let copy = try reopen()
        let rows = try query(scratch.copy, "SELECT value FROM profile", as: String.self)
        #expect(rows.count == 1, "\(rows)")
        for name in names {
            let next = submission(patch(name, [.appsflyerID: "2"], at: noon + .seconds(1)))
            #expect(try await copy.append(next) == [.accepted])
        }
        let last = scratch.path + "/last.db"
        for suffix in ["", "-wal"] { copyFile(scratch.copy + suffix, last + suffix) }
        let again = try SQLiteOutbox(path: last, settings: .atNoon) { _ in }
        let claim = await again.claim(9, of: "main", at: noon)
        #expect(claim.deliveries.map(\.patch[.appsflyerID]?.value) == Array(repeating: .text("2"), count: 3))
        for outbox in [again, copy, outbox] { await outbox.close() }
    }

    @Test("a start after a clean end finds the same")
    func cleanEnd() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "\"1\"\n"])))
        await outbox.close()
        #expect(access(scratch.file + "-wal", F_OK) != 0)
        #expect(try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) == [0])
        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        let claim = await again.claim(9, of: "main", at: noon)
        #expect(claim.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "\"1\"\n"])])
        #expect(claim.deliveries.map(\.since) == [noon])
        #expect(claim.deliveries.map(\.origin) == ["appsflyer"] && claim.deliveries.map(\.request) == [nil])
        await again.close()
    }

    @Test("a newer time of a known value is in the file soon, and is there after a clean end")
    func newerTimesAreKept() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "a"])))
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "a"], at: noon + .seconds(9))))
        await outbox.close()
        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        let between = submission(patch("ann", [.appsflyerID: "b"], at: noon + .seconds(5)))
        #expect(try await again.append(between) == [.unchangedWaiting])
        await again.close()
    }

    private func reopen(_ onDue: @escaping @Sendable (String) -> Void = { _ in }) throws -> SQLiteOutbox {
        for suffix in ["", "-wal"] { copyFile(scratch.file + suffix, scratch.copy + suffix) }
        return try SQLiteOutbox(path: scratch.copy, settings: .atNoon, onDue: onDue)
    }
}

extension Scratch {
    var copy: String { path + "/copy.db" }
}
