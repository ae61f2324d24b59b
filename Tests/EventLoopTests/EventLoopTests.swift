import EventLoop
import Glibc
import Synchronization
import Testing

@Suite("The event loop", .timeLimit(.minutes(1)))
struct EventLoopTests {
    /// Touched on the loop alone: hence unchecked.
    private final class Held: @unchecked Sendable {
        var timers: [LoopTimer] = []
    }

    @Test("a timer for longer than the clock goes never fires, and one for less than nothing does at once")
    func extremeTimers() async throws {
        try await withLoop { loop in
            let fired = Mutex<[Int]>([])
            let durations: [Duration] = [
                .seconds(Int64.max), .milliseconds(Int64.max), .seconds(1 << 32), .zero, .seconds(Int64.min),
            ]
            let held = Held()
            loop.execute {
                for (index, duration) in durations.enumerated() {
                    let timer = LoopTimer(loop) { fired.withLock { $0.append(index) } }
                    timer.schedule(after: duration)
                    held.timers.append(timer)
                }
            }
            for _ in 0..<500 where fired.withLock({ $0.count }) < 2 { try await Task.sleep(for: .milliseconds(2)) }
            try await Task.sleep(for: .milliseconds(50))
            #expect(Set(fired.withLock { $0 }) == [3, 4])
            loop.execute { held.timers.removeAll() }
            await loop.turn()
        }
    }

    // MARK: Work

    @Test("closures run on the loop, in the order they were handed over")
    func order() async throws {
        try await withLoop { loop in
            let seen = Mutex<[Int]>([])
            for index in 0..<1000 {
                loop.execute {
                    loop.preconditionIsCurrent()
                    seen.withLock { $0.append(index) }
                }
            }
            await loop.turn()
            #expect(seen.withLock { $0 } == Array(0..<1000))
            #expect(!loop.isCurrent)
        }
    }

    @Test("stopping a loop a second time waits for its end as well")
    func stopsTwice() throws {
        let loop = try EventLoop(name: "twice")
        try loop.start()
        let isDone = Mutex(false)
        loop.execute {
            usleep(50_000)
            isDone.withLock { $0 = true }
        }
        for _ in 0..<3 {
            loop.stop()
            #expect(isDone.withLock { $0 })
        }
    }

    @Test("what is put off comes when the round is over, and before the loop waits; what that puts off comes as well")
    func putOff() async throws {
        try await withLoop { loop in
            let seen = Mutex<[String]>([])
            for name in ["a", "b"] {
                loop.execute {
                    seen.withLock { $0.append(name) }
                    loop.whenRoundIsOver {
                        seen.withLock { $0.append("after \(name)") }
                        if name == "b" { loop.whenRoundIsOver { seen.withLock { $0.append("last") } } }
                    }
                }
            }
            await loop.turn()
            await loop.turn()
            let order = seen.withLock { $0 }
            #expect(order.last == "last" && Set(order) == ["a", "b", "after a", "after b", "last"])
            #expect(order.firstIndex(of: "a") ?? 9 < order.firstIndex(of: "after a") ?? 0)
        }
    }

    @Test("work handed over from many threads is all done")
    func manyThreads() async throws {
        try await withLoop { loop in
            let done = Tally()
            await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<1000 { loop.execute { done.add() } }
                    }
                }
            }
            await loop.turn()
            #expect(done.count == 8000)
        }
    }

    @Test("a task that prefers the loop runs on it, and comes back to it when it has waited")
    func tasks() async throws {
        try await withLoop { loop in
            let places = await Task(executorPreference: loop) {
                let before = loop.isCurrent
                await Task.yield()
                let between = loop.isCurrent
                await Elsewhere.shared.work()
                return [before, between, loop.isCurrent]
            }.value
            #expect(places == [true, true, true])
        }
    }

    @Test("an actor lives on the loop by having it as its executor")
    func actors() async throws {
        try await withLoop { loop in
            let counter = Counter(loop)
            await withTaskGroup { group in
                for _ in 0..<100 { group.addTask { await counter.increment() } }
            }
            #expect(await counter.value == 100)
            #expect(await counter.wasAlwaysOnLoop)
        }
    }

    @Test("stop lets the work that is queued finish, and what that adds")
    func stopFinishes() throws {
        let loop = try EventLoop(name: "test")
        let done = Tally()
        for _ in 0..<100 {
            loop.execute {
                done.add()
                loop.execute { done.add() }
            }
        }
        try loop.start()
        loop.stop()
        #expect(done.count == 200)
    }

    @Test("a loop that never ran can be stopped")
    func stopUnstarted() throws {
        try EventLoop(name: "test").stop()
    }

    // MARK: Timers

    @Test("a timer is never early, however odd its duration", arguments: [0, 1, 999, 1001, 2500, 10_001, 33_333])
    func neverEarly(microseconds: Int) async throws {
        try await withLoop { loop in
            let duration = Duration.microseconds(microseconds)
            let (set, fired) = await withCheckedContinuation { continuation in
                loop.execute {
                    let set = ContinuousClock.now
                    loop.once(after: duration) { continuation.resume(returning: (set, ContinuousClock.now)) }
                }
            }
            #expect(set.duration(to: fired) >= duration)
        }
    }

    @Test("a timer set anew fires once, at the new time; one taken back never")
    func timersChange() async throws {
        try await withLoop { loop in
            let fired = Mutex<[String]>([])
            await withCheckedContinuation { continuation in
                loop.execute {
                    let moved = LoopTimer(loop) { fired.withLock { $0.append("moved") } }
                    let taken = LoopTimer(loop) { fired.withLock { $0.append("taken") } }
                    moved.schedule(after: .milliseconds(1))
                    moved.schedule(after: .milliseconds(20))
                    taken.schedule(after: .milliseconds(1))
                    taken.unschedule()
                    loop.once(after: .milliseconds(10)) { fired.withLock { $0.append("between") } }
                    loop.once(after: .milliseconds(40)) {
                        withExtendedLifetime((moved, taken)) { continuation.resume() }
                    }
                }
            }
            #expect(fired.withLock { $0 } == ["between", "moved"])
        }
    }

    @Test("a timer may drop itself while it fires")
    func timerDropsItself() async throws {
        try await withLoop { loop in
            for _ in 0..<100 {
                await withCheckedContinuation { continuation in
                    loop.execute { loop.once(after: .zero) { continuation.resume() } }
                }
            }
        }
    }

    // MARK: Clock

    @Test("a sleep on the loop's clock lasts, and its sleeper wakes on the loop")
    func sleeps() async throws {
        try await withLoop { loop in
            let clock = LoopClock(loop)
            let (slept, isOnLoop) = await Task(executorPreference: loop) {
                let start = clock.now
                try? await clock.sleep(for: .milliseconds(15))
                return (start.duration(to: clock.now), loop.isCurrent)
            }.value
            #expect(slept >= .milliseconds(15))
            #expect(isOnLoop)
        }
    }

    @Test("a sleep ends with its task's cancellation, whenever that comes")
    func cancels() async throws {
        try await withLoop { loop in
            for delay in 0..<50 {
                let sleeper = Task { try await LoopClock(loop).sleep(for: .seconds(3600)) }
                if delay > 0 { try await LoopClock(loop).sleep(for: .microseconds(delay * 20)) }
                sleeper.cancel()
                await #expect(throws: CancellationError.self) { try await sleeper.value }
            }
        }
    }

    @Test("a deadline that has passed does not sleep")
    func past() async throws {
        try await withLoop { loop in
            let clock = LoopClock(loop)
            try await clock.sleep(until: clock.now.advanced(by: .seconds(-1)), tolerance: nil)
        }
    }

    // MARK: Signals

    @Test("a signal calls back on the loop, each time it arrives")
    func signals() async throws {
        try await withLoop { loop in
            let arrivals = Mutex<(count: Int, isOnLoop: Bool)>((0, true))
            let watch = await withCheckedContinuation { continuation in
                loop.execute {
                    let watch = SignalWatch(loop, SIGUSR1) {
                        arrivals.withLock { $0 = ($0.count + 1, $0.isOnLoop && loop.isCurrent) }
                    }
                    continuation.resume(returning: OnLoop(watch))
                }
            }
            for count in 1...3 {
                kill(getpid(), SIGUSR1)
                let clock = LoopClock(loop)
                let limit = clock.now.advanced(by: .seconds(10))
                while arrivals.withLock({ $0.count }) < count, clock.now < limit {
                    try await clock.sleep(for: .milliseconds(1))
                }
                #expect(arrivals.withLock { $0.count } == count)
            }
            #expect(arrivals.withLock { $0.isOnLoop })
            await withCheckedContinuation { continuation in
                loop.execute {
                    watch.value.cancel()
                    continuation.resume()
                }
            }
        }
    }
}

/// A value of the loop's, carried across and only touched there again: hence unchecked.
struct OnLoop<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

/// Counts from any thread.
final class Tally: Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }

    func add() { value.add(1, ordering: .relaxed) }
}

/// Runs with a loop, and stops it in the end.
func withLoop(_ body: (EventLoop) async throws -> Void) async throws {
    let loop = try EventLoop(name: "test")
    try loop.start()
    defer { loop.stop() }
    try await body(loop)
}

extension EventLoop {
    /// Returns when everything handed over before has run.
    func turn() async {
        await withCheckedContinuation { continuation in execute { continuation.resume() } }
    }

    /// Calls once, and drops the timer.
    func once(after duration: Duration, _ body: @escaping () -> Void) {
        final class Holder { var timer: LoopTimer? }
        let holder = Holder()
        holder.timer = LoopTimer(self) {
            holder.timer = nil
            body()
        }
        holder.timer?.schedule(after: duration)
    }
}

private actor Counter {
    private let loop: EventLoop
    private(set) var value = 0
    private(set) var wasAlwaysOnLoop = true

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func increment() {
        value += 1
        wasAlwaysOnLoop = wasAlwaysOnLoop && loop.isCurrent
    }
}

private actor Elsewhere {
    static let shared = Elsewhere()

    func work() {}
}
