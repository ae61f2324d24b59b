import Relay
import SQLiteOutbox
import Synchronization
import Testing

@Suite("When the wall clock jumps")
struct ClockTests {
    private let scratch = Scratch()
    private let clock = HandClock()

    /// A monotonic clock beside a wall clock that anybody may set.
    private struct Machine: Clock {
        final class State: Sendable {
            let elapsed = Mutex(Duration.zero)
        }
        let state = State()
        private let base = ContinuousClock.now
        var now: ContinuousClock.Instant { base.advanced(by: state.elapsed.withLock { $0 }) }
        var minimumResolution: Duration { .nanoseconds(1) }
        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {}
    }

    @Test("the times that things are due by go on evenly: the wall clock is read once")
    func steady() {
        let machine = Machine()
        let time = SteadyTime(machine, wall: noon)
        machine.state.elapsed.withLock { $0 = .seconds(90) }
        #expect(time.now == noon + .seconds(90))
    }

    @Test("since when something waits, and whether it is applied, is no matter of the times that requests carry")
    func receivedTimes() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        // The machine's wall clock was a day ahead, then a day behind.
        let ahead = submission(patch("ann", [.appsflyerID: "1"], at: nil), received: noon + .seconds(86_400))
        _ = try await outbox.append(ahead)
        clock.advance(by: .seconds(60))
        #expect(await outbox.census().map(\.oldestAge) == [.seconds(60)])
        try settleAll(await outbox.claim(1, of: "main", at: clock.now), in: outbox, as: .applied(at: clock.now))
        let behind = submission(patch("ann", [.appsflyerID: "1"], at: nil), received: noon + .seconds(-86_400))
        clock.advance(by: .seconds(86_399))
        #expect(try await outbox.append(behind) == [.unchangedApplied])
        clock.advance(by: .seconds(1))
        #expect(try await outbox.append(behind) == [.accepted])
        await outbox.close()
    }

    @Test(
        "between two starts, a retry waits no longer than it was told to, and has failed for as long as it had",
        arguments: [-400, -1, 0, 1, 400])
    func restart(days: Int) async throws {
        let before = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        _ = try await before.append(submission(patch("ann", [.appsflyerID: "1"])))
        func fail() async throws {
            let due = clock.now + .seconds(60)
            try settleAll(await before.claim(1, of: "main", at: clock.now), in: before, as: .retry(at: due, outage))
            _ = await before.census()
        }
        try await fail()
        clock.advance(by: .seconds(3600))
        try await fail()
        await before.close()

        clock.advance(by: .seconds(days * 86_400))
        let after = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        #expect(await after.census().map { $0.oldestAge ?? .zero } >= [.zero])
        let delivery = try #require(
            await after.claim(1, of: "main", at: clock.now + .seconds(60)).deliveries.first)
        #expect(delivery.attempts == 2)
        #expect(delivery.failingSince == clock.now + .seconds(-3600))
        await after.close()
    }

    @Test("a value that was confirmed in the future is sent again after `reassert_after`, and no later")
    func confirmedInTheFuture() async throws {
        let before = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        let same = submission(patch("ann", [.appsflyerID: "1"]))
        _ = try await before.append(same)
        try settleAll(await before.claim(1, of: "main", at: clock.now), in: before, as: .applied(at: clock.now))
        await before.close()

        clock.advance(by: .seconds(-400 * 86_400))
        let after = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        #expect(try await after.append(same) == [.unchangedApplied])
        clock.advance(by: .seconds(86_400))
        #expect(try await after.append(same) == [.accepted])
        await after.close()
    }
}

private func >= (left: [Duration], right: [Duration]) -> Bool { zip(left, right).allSatisfy { $0 >= $1 } }
