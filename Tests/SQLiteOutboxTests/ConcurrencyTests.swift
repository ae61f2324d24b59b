import GRDB
import Glibc
import Relay
import Synchronization
import Testing

@testable import SQLiteOutbox

/// Claims and settles until it is told to finish and nothing waits; where something waits for ever, for half a minute.
private final class Consumer: Sendable {
    struct State {
        /// What each profile's deliveries held, in order.
        var values: [ProfileReference: [String]] = [:]
        var inFlight: Set<ProfileReference> = []
        /// Deliveries of a profile that had one on its way.
        var overlaps = 0
        var isFinishing = false
    }

    private let outbox: SQLiteOutbox
    private let state = Mutex(State())

    init(_ outbox: SQLiteOutbox) {
        self.outbox = outbox
    }

    var end: State { state.withLock { $0 } }

    func finish() { state.withLock { $0.isFinishing = true } }

    func run() async {
        var generator = SeededGenerator(seed: 11)
        await withTaskGroup { group in
            let deadline = ContinuousClock.now + .seconds(30)
            while ContinuousClock.now < deadline {
                let isFinishing = end.isFinishing
                let claim = await outbox.claim(3, of: "main", at: noon)
                if claim.deliveries.isEmpty, isFinishing, await outbox.census().allSatisfy({ $0.waiting == 0 }) {
                    return
                }
                for delivery in claim.deliveries {
                    begin(delivery)
                    let pause = UInt32(generator.next() % 400)
                    group.addTask { [self] in
                        usleep(pause)
                        settle(delivery)
                    }
                }
                usleep(50)
            }
        }
    }

    private func begin(_ delivery: Delivery) {
        state.withLock { state in
            if !state.inFlight.insert(delivery.profile).inserted { state.overlaps += 1 }
            for case .text(let value) in delivery.patch.fields.map(\.value) {
                state.values[delivery.profile, default: []].append(value)
            }
        }
    }

    private func settle(_ delivery: Delivery) {
        state.withLock { _ = $0.inFlight.remove(delivery.profile) }
        outbox.settle(delivery, as: .applied(at: noon))
    }
}

/// One consumer claims and settles on threads of its own while the store's thread commits.
@Suite("The outbox and its consumer at once")
struct ConcurrencyTests {
    private let scratch = Scratch()

    private static let users = (0..<5).map { "u\($0)" }

    @Test(
        "what was stored last is delivered last, nothing that was not stored, and no profile twice at once",
        .timeLimit(.minutes(1)), arguments: [OutboxSettings().foldBacklog, 0])
    func delivers(foldBacklog: Int) async throws {
        var settings = OutboxSettings()
        settings.foldBacklog = foldBacklog
        let commits = Mutex(0)
        settings.probeEvery = .milliseconds(1)
        settings.foldAfter = .milliseconds(5)
        // The disk takes its time, which is when others have the ledger, and is full now and then.
        settings.failCommit = {
            usleep(300)
            let number = commits.withLock { number in
                number += 1
                return number
            }
            if number % 4 == 0 { throw DatabaseError(resultCode: .SQLITE_FULL) }
        }
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        let consumer = Consumer(outbox)
        let consuming = Task { await consumer.run() }

        // Each user has a lane of its own, so that the last of its values that was stored is known.
        let stored = await withTaskGroup(of: (ProfileReference, [String], [String]).self) { group in
            for name in Self.users {
                group.addTask {
                    var (stored, refused): ([String], [String]) = ([], [])
                    for number in 0..<300 {
                        let value = "\(name)-\(number)"
                        let next = patch(name, [.appsflyerID: value], at: noon + .milliseconds(number))
                        if (try? await outbox.append(submission(next))) == [.accepted] {
                            stored.append(value)
                        } else {
                            refused.append(value)
                        }
                    }
                    return (user(name), stored, refused)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        consumer.finish()
        await consuming.value

        let end = consumer.end
        #expect(await outbox.census().allSatisfy { $0.waiting == 0 })
        #expect(end.overlaps == 0 && end.inFlight.isEmpty)
        for (profile, stored, refused) in stored {
            let delivered = end.values[profile] ?? []
            #expect(delivered.last == stored.last)
            #expect(Set(delivered).isDisjoint(with: refused))
            #expect(!refused.isEmpty && delivered.count > 1)
        }
        await outbox.close()
    }

    @Test("what is applied is settled without a commit, and a start finds that it was")
    func settles() async throws {
        var settings = OutboxSettings.atNoon
        settings.foldAfter = .seconds(3600)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let commits = outbox.commits
        for delivery in await outbox.claim(1, of: "main", at: noon).deliveries {
            outbox.settle(delivery, as: .applied(at: noon))
        }
        #expect(await outbox.census().map(\.waiting) == [0])
        #expect(outbox.commits == commits)
        await outbox.close()

        let again = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
        #expect(await again.claim(1, of: "main", at: noon).deliveries.isEmpty)
        await again.close()
    }

    @Test("what is settled when there is nothing else to fold is folded in time", .timeLimit(.minutes(1)))
    func folds() async throws {
        var settings = OutboxSettings()
        settings.foldAfter = .milliseconds(20)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let claim = await outbox.claim(1, of: "main", at: noon)
        await outbox.fold()
        // The store may not be asleep yet, and would look again by itself.
        try await Task.sleep(for: .milliseconds(100))
        let commits = outbox.commits
        for delivery in claim.deliveries { outbox.settle(delivery, as: .applied(at: noon)) }
        while outbox.commits == commits { try await Task.sleep(for: .milliseconds(1)) }
        await outbox.close()
    }

    @Test("whoever settles is told at once of what came meanwhile")
    func tells() async throws {
        let due = DueLog()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: .atNoon) { due.note($0) }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let first = await outbox.claim(1, of: "main", at: noon)
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "2"], at: noon + .seconds(1))))
        #expect(await outbox.claim(1, of: "main", at: noon).deliveries.isEmpty)
        let told = due.apps.count
        for delivery in first.deliveries { outbox.settle(delivery, as: .applied(at: noon)) }
        let second = await outbox.claim(1, of: "main", at: noon)
        #expect(due.apps.count == told + 1)
        #expect(second.deliveries.map(\.patch[.appsflyerID]?.value) == [.text("2")])
        await outbox.close()
    }
}
