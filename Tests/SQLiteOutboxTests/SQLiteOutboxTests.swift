import Glibc
import Relay
import SQLiteOutbox
import Testing

@Suite("The outbox in SQLite")
struct SQLiteOutboxTests {
    private let scratch = Scratch()

    @Test("keeps the contract", arguments: outboxConformance)
    func conforms(to claim: OutboxClaim) async throws {
        let due = DueLog()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { due.note($0) }
        try await claim.check(outbox, due)
        await outbox.close()
    }

    @Test("keeps the contract when every change is folded at once", arguments: outboxConformance)
    func conformsFolding(to claim: OutboxClaim) async throws {
        var settings = OutboxSettings.atNoon
        settings.foldAfter = .zero
        settings.newerTimesAfter = .zero
        settings.mostRemembered = 0
        let due = DueLog()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { due.note($0) }
        try await claim.check(outbox, due)
        await outbox.close()
    }

    @Test("a second close returns when the file is closed, as the first one does", arguments: 0..<10)
    func closesTwice(round: Int) async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        for number in 0..<200 {
            _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "\(round)"])))
        }
        let path = scratch.file + ".lock"
        await withTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    await outbox.close()
                    // Held for as long as the file is not closed; shared, because the others look as well.
                    let lock = open(path, O_RDWR)
                    #expect(flock(lock, LOCK_SH | LOCK_NB) == 0)
                    Glibc.close(lock)
                }
            }
        }
        await outbox.close()
    }

    @Test("nobody but the owner reads its files", arguments: ["", "-wal", "-shm", ".lock"])
    func modes(suffix: String) async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        var status = stat()
        #expect(stat(scratch.file + suffix, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        await outbox.close()
    }

    @Test("callers that come together share commits")
    func groupCommit() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        let count = 512
        await withTaskGroup { group in
            for number in 0..<count {
                group.addTask {
                    _ = try? await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"])))
                }
            }
        }
        #expect(outbox.commits < count / 2)
        #expect(await outbox.census().map(\.waiting) == [count])
        await outbox.close()
    }

    @Test(
        "after a commit that a few shared the next one waits for more: until there are enough, or for long enough",
        .timeLimit(.minutes(1)),
        arguments: [(enough: 10, patience: Duration.seconds(3600)), (enough: 11, patience: .seconds(1))])
    func gathers(enough: Int, patience: Duration) async throws {
        var settings = OutboxSettings()
        settings.gatherFor = patience
        settings.gatherWhere = 1..<enough
        settings.foldAfter = .seconds(3600)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        await withTaskGroup { group in
            for number in 0..<10 {
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(10 * number))
                    _ = try? await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"])))
                }
            }
        }
        #expect(outbox.commits == 2)
        #expect(await outbox.census().map(\.waiting) == [11])
        await outbox.close()
    }

    @Test("who waits for each answer is not kept waiting for others", .timeLimit(.minutes(1)))
    func gathersNotForOne() async throws {
        var settings = OutboxSettings()
        settings.gatherFor = .seconds(3600)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        for number in 0..<20 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        #expect(outbox.commits >= 20)
        await outbox.close()
    }

    @Test("what is unchanged is not written")
    func unchangedWritesNothing() async throws {
        var settings = OutboxSettings()
        // A fold would take the row that is counted here.
        settings.foldAfter = .seconds(3600)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let commits = outbox.commits
        for second in 1...50 {
            let later = submission(patch("ann", [.appsflyerID: "1"], at: noon + .seconds(second)))
            #expect(try await outbox.append(later) == [.unchangedWaiting])
        }
        #expect(outbox.commits == commits)
        #expect(try query(scratch.file, "SELECT count(*) FROM accepted", as: Int.self) == [1])
        await outbox.close()
    }

    @Test("what is unchanged is recognized at once, and what is not, or not on the disk yet, never")
    func recognizes() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        let (ann, newer) = (patch("ann", [.appsflyerID: "1"]), patch("ann", [.appsflyerID: "2"], at: noon))
        #expect(outbox.recognize(submission(ann)) == nil)
        _ = try await outbox.append(submission(ann))
        #expect(await eventually { outbox.recognize(submission(ann)) } == [.unchangedWaiting])
        #expect(outbox.recognize(submission(newer)) == nil)
        #expect(outbox.recognize(submission(ann, newer)) == nil)
        #expect(outbox.recognize(submission(ann, isAwaited: true)) == nil)
        await outbox.close()
        #expect(outbox.recognize(submission(ann)) == nil)
    }

    @Test("nothing is recognized that was never stored, whoever asks while commits run")
    func recognizesUnderLoad() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        let recognized = await withTaskGroup(of: Int.self) { group in
            for lane in 0..<4 {
                group.addTask {
                    var recognized = 0
                    for number in 0..<1500 {
                        // Four lanes write to the same few profiles, each a value of its own each time.
                        let user = "u\(number % 5)"
                        let time = noon + .milliseconds(number)
                        let next = submission(patch(user, [.appsflyerID: "\(lane)-\(number)"], at: time))
                        let never = patch(user, [.appsflyerID: "never"], at: noon + .seconds(3600))
                        if outbox.recognize(submission(never)) != nil { recognized += 1_000_000 }
                        _ = try? await outbox.append(next)
                        if let known = outbox.recognize(next) {
                            recognized += known == [.accepted] ? 1_000_000 : 1
                        }
                    }
                    return recognized
                }
            }
            return await group.reduce(0, +)
        }
        #expect(recognized > 0 && recognized < 1_000_000)
        await outbox.close()
    }

    /// What a question comes to once the store has a moment.
    private func eventually<Answer>(_ ask: () -> Answer?) async -> Answer? {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let answer = ask() { return answer }
            try? await Task.sleep(for: .milliseconds(1))
        }
        return nil
    }

    @Test("a value that was confirmed a day ago is sent again when it comes")
    func reassert() async throws {
        let clock = HandClock()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        func again(after seconds: Int) async throws -> [Disposition] {
            clock.advance(by: .seconds(seconds))
            return try await outbox.append(submission(patch("ann", [.appsflyerID: "1"], at: clock.now)))
        }
        #expect(try await again(after: 86_399) == [.unchangedApplied])
        #expect(try await again(after: 1) == [.accepted])
        await outbox.close()
    }

    @Test("the census says how much waits, why, and how long the oldest does")
    func census() async throws {
        let clock = HandClock()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        for name in ["ann", "bob", "cid"] {
            _ = try await outbox.append(submission(patch(name, [.appsflyerID: "1"])))
            clock.advance(by: .seconds(5))
        }
        let now = clock.now
        #expect(await outbox.census() == [Census(app: "main", waiting: 3, oldestAge: .seconds(15))])
        let deliveries = await outbox.claim(3, of: "main", at: now).deliveries
        outbox.settle(deliveries[0], as: .applied(at: now))
        outbox.settle(deliveries[1], as: .retry(at: now, outage))
        outbox.settle(deliveries[2], as: .missing(retryAt: now, noProfile, told: []))
        let failed = Census(app: "main", waiting: 2, retrying: 1, missing: 1, oldestAge: .seconds(10))
        #expect(await outbox.census() == [failed])
        await outbox.close()
        let again = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        #expect(await again.census() == [failed])
        let retries = await again.claim(3, of: "main", at: now).deliveries
        again.settle(retries[0], as: .missing(retryAt: now, noProfile, told: []))
        again.settle(retries[1], as: .applied(at: now))
        #expect(await again.census().map { [$0.waiting, $0.retrying, $0.missing] } == [[1, 0, 1]])
        await again.close()
    }

    @Test("a closed outbox takes nothing and says so")
    func closed() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        await outbox.close()
        await #expect(throws: OutboxFailure.closed) {
            try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        }
        #expect(await outbox.claim(1, of: "main", at: noon).deliveries.isEmpty)
        #expect(await outbox.census().isEmpty)
        await outbox.close()
    }

    @Test("more profiles than may wait are refused, and a request is refused as a whole")
    func bound() async throws {
        var settings = OutboxSettings()
        settings.mostWaiting = 2
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        await #expect(throws: OutboxFailure.full("1 profiles wait")) {
            try await outbox.append(
                submission(patch("bob", [.appsflyerID: "1"]), patch("cid", [.appsflyerID: "1"])))
        }
        #expect(await outbox.census().map(\.waiting) == [1])
        #expect(outbox.isWritable)
        // A profile that waits already takes no more room.
        #expect(try await outbox.append(submission(patch("ann", [.branchID: "2"]))) == [.accepted])
        #expect(await outbox.claim(9, of: "main", at: noon).deliveries.count == 1)
        await outbox.close()
    }
}
