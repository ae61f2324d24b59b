import Relay
import Testing

@testable import Delivery

@Suite("The delivery core")
struct DeliveryCoreTests {
    @Test("asks the outbox at start, and rests when nothing waits")
    func claimsAtStart() {
        var bench = Bench()
        guard case .claim(let limit, probe: nil) = bench.core.next(at: bench.now) else {
            Issue.record("no claim")
            return
        }
        #expect(limit == 64)
        bench.claimed([])
        guard case .rest = bench.core.next(at: bench.now) else {
            Issue.record("no rest")
            return
        }
    }

    @Test("asks again at the time the outbox named")
    func waitsForTheNextDue() {
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed([], nextDue: .start + .seconds(30))
        #expect(bench.attempts().until == .seconds(30))
        bench.elapsed = .seconds(30)
        guard case .claim = bench.core.next(at: bench.now) else {
            Issue.record("no claim when due")
            return
        }
    }

    @Test("never has more in flight than the cap")
    func concurrencyIsCapped() {
        var bench = Bench { $0.concurrency = 3 }
        _ = bench.core.next(at: bench.now)
        bench.claimed((1...10).map { .sample("u\($0)") })
        let begun = bench.attempts().begun
        #expect(begun.count == 3)
        #expect(bench.core.inFlight == 3)
        bench.finish(begun[0], .applied)
        #expect(bench.attempts().begun.count == 1)
    }

    @Test("while the upstream wants to be left alone nothing is kept from the outbox, and then it goes on")
    func handsBackInAPause() {
        var bench = Bench { $0.concurrency = 1 }
        bench.claimed([.sample("a"), .sample("b")])
        #expect(bench.attempts().begun.map(\.profile.value) == ["a"])
        let busy = Outcome.failed(
            Failure(status: 429, code: "busy", message: ""), after: .seconds(120), isOverload: true)
        bench.finish(.sample("z"), busy)
        bench.finish(.sample("a"), busy)
        let paused = bench.attempts()
        #expect(paused.begun.isEmpty && paused.released.map(\.profile.value) == ["b"] && paused.until == .seconds(120))
        // The outbox says that it is due again; nothing is asked for before the time.
        bench.core.wake()
        guard case .wait = bench.core.next(at: bench.now) else {
            Issue.record("does not wait")
            return
        }
        bench.elapsed = .seconds(120)
        guard case .claim = bench.core.next(at: bench.now) else {
            Issue.record("does not go on")
            return
        }
    }

    @Test("a pause of a moment keeps what was claimed in its place")
    func keepsInAMoment() {
        var bench = Bench { $0.concurrency = 1 }
        bench.claimed([.sample("a"), .sample("b")])
        #expect(bench.attempts().begun.map(\.profile.value) == ["a"])
        let busy = Outcome.failed(
            Failure(status: 429, code: "busy", message: ""), after: .seconds(2), isOverload: true)
        bench.finish(.sample("z"), busy)
        bench.finish(.sample("a"), busy)
        let paused = bench.attempts()
        #expect(paused.begun.isEmpty && paused.released.isEmpty && paused.until == .seconds(2))
        bench.elapsed = .seconds(2)
        #expect(bench.attempts().begun.map(\.profile.value) == ["b"])
    }

    @Test("claims ahead while attempts are in flight, so that a slow commit does not stall them")
    func claimsAhead() {
        var bench = Bench { $0.concurrency = 4 }
        _ = bench.core.next(at: bench.now)
        bench.claimed((1...4).map { .sample("u\($0)") }, hasMore: true)
        var claims = 0
        loop: while true {
            switch bench.core.next(at: bench.now) {
            case .attempt: continue
            case .claim(let limit, _):
                claims += 1
                #expect(limit == 4 || limit == 2)
                break loop
            default: break loop
            }
        }
        #expect(claims == 1)
        #expect(bench.core.inFlight > 0)
    }

    @Test("spreads attempts evenly behind a small burst")
    func pacesAttempts() {
        var bench = Bench {
            $0.interval = .seconds(1)
            $0.burst = 3
        }
        _ = bench.core.next(at: bench.now)
        bench.claimed((1...10).map { .sample("u\($0)") })
        var times: [Duration] = []
        while times.count < 10 {
            let (begun, _, until) = bench.attempts()
            times += begun.map { _ in bench.elapsed }
            for delivery in begun { bench.finish(delivery, .applied) }
            guard let until, until > bench.elapsed else { continue }
            bench.elapsed = until
        }
        #expect(times == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7].map { .seconds($0) })
    }

    @Test(
        "settles each outcome as the table says",
        arguments: [
            (Outcome.applied, "applied"), (.rejected(.refused, .unnamed), "rejected"),
            (.profileMissing(.missing), "missing"), (.blocked, "retry"), (.misconfigured(.key), "released"),
            (.failing, "retry"), (.throttled, "retry"), (.abandoned, "released"),
        ])
    func settlesByTheTable(outcome: Outcome, expected: String) {
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed([.sample()])
        let begun = bench.attempts().begun
        let settlement = bench.finish(begun[0], outcome).settlement
        let name =
            switch settlement {
            case .applied: "applied"
            case .retry: "retry"
            case .missing: "missing"
            case .rejected: "rejected"
            case .dead: "dead"
            case .released: "released"
            case .abandoned: "abandoned"
            }
        #expect(name == expected)
    }

    @Test("one profile that is told to slow down slows the others, and stops none")
    func oneThrottledProfile() {
        var bench = Bench { $0.concurrency = 1 }
        bench.claimed([.sample("a"), .sample("b")])
        _ = bench.attempts()
        let settlement = bench.finish(
            .sample("a"),
            .failed(Failure(status: 429, code: "busy", message: ""), after: .seconds(120), isOverload: true)
        ).settlement
        guard case .retry(let at, _, _) = settlement, at == bench.wall + .seconds(120) else {
            Issue.record("\(settlement)")
            return
        }
        #expect(bench.attempts().begun.map(\.profile.value) == ["b"])
    }

    // Regression: the probe took the same refused profile again and again, and everybody waited with it.
    @Test("probes with what was not refused yet, by turns the oldest and the newest")
    func probes() {
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed((0..<10).map { .sample("u\($0)") })
        for delivery in bench.attempts().begun { bench.finish(delivery, .blocked) }
        var orders: [ProbeOrder?] = []
        for _ in 0..<4 {
            bench.core.wake()
            guard case .wait(let until) = bench.core.next(at: bench.now) else {
                Issue.record("does not wait")
                return
            }
            bench.elapsed = Bench.base.duration(to: until)
            guard case .claim(1, let order) = bench.core.next(at: bench.now) else {
                Issue.record("no claim")
                return
            }
            orders.append(order)
            bench.claimed([.sample("p\(orders.count)")])
            for delivery in bench.attempts().begun { bench.finish(delivery, .blocked) }
        }
        #expect(orders == [.oldest, .newest, .oldest, .newest])
    }

    @Test("an attempt whose end nobody knows is settled as one that may still be taken")
    func unknownEnd() {
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed([.sample("a"), .sample("b")])
        let begun = bench.attempts().begun
        let lost = Attempt(outcome: .failing, answer: nil, duration: .zero, isEndUnknown: true)
        guard case .retry(_, .timeout, uncertainUntil: .start + .seconds(60)) = bench.finish(begun[0], lost).settlement
        else {
            Issue.record("taken for one that was not sent")
            return
        }
        let cut = Attempt(outcome: .abandoned, answer: nil, duration: .zero, isEndUnknown: true)
        #expect(bench.finish(begun[1], cut).settlement == .abandoned(uncertainUntil: .start + .seconds(60)))
    }

    @Test("gives up what fails for longer than it may, and keeps it as a dead letter")
    func givesUp() {
        for (outcome, failure) in [
            (Outcome.failing, Failure.timeout), (.profileMissing(.missing), .missing), (.blocked, .blocked),
        ] {
            var bench = Bench()
            _ = bench.core.next(at: bench.now)
            bench.elapsed = .seconds(72 * 3600 - 1)
            bench.claimed([.sample(attempts: 40, failingSince: .start)])
            var begun = bench.attempts().begun
            if case .dead = bench.finish(begun[0], outcome).settlement { Issue.record("given up too early") }
            bench.elapsed = .seconds(72 * 3600)
            bench.core.wake()
            _ = bench.core.next(at: bench.now)
            bench.claimed([.sample(attempts: 41, failingSince: .start)])
            begun = bench.attempts().begun
            #expect(bench.finish(begun[0], outcome).settlement == .dead(at: bench.wall, failure))
        }
    }

    @Test("tries for the whole time what has not failed yet, however long it waited")
    func waitingIsNotFailing() {
        for outcome in [Outcome.failing, .throttled, .profileMissing(.missing)] {
            var bench = Bench()
            _ = bench.core.next(at: bench.now)
            bench.elapsed = .seconds(1000 * 3600)
            bench.claimed([.sample()])
            let begun = bench.attempts().begun
            if case .dead = bench.finish(begun[0], outcome).settlement { Issue.record("given up at the first failure") }
        }
    }

    @Test("honours Retry-After where it asks for more than the backoff")
    func honoursRetryAfter() {
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed([.sample()])
        let begun = bench.attempts().begun
        let outcome = Outcome.failed(.timeout, after: .seconds(120), isOverload: false)
        #expect(bench.finish(begun[0], outcome).settlement == .retry(at: .start + .seconds(120), .timeout))
    }

    @Test("passes on whose callers were told that there is no such profile")
    func passesOnWhoWasTold() {
        let id = UniqueID(high: 1, low: 2)
        var bench = Bench()
        _ = bench.core.next(at: bench.now)
        bench.claimed([.sample(awaiting: [id])])
        let begun = bench.attempts().begun
        guard
            case .missing(_, _, told: [id]) = bench.finish(begun[0], .profileMissing(.missing), told: [id]).settlement
        else {
            Issue.record("told is lost")
            return
        }
    }

    @Test("draining hands back what was not begun and begins nothing more")
    func drains() {
        var bench = Bench { $0.concurrency = 1 }
        _ = bench.core.next(at: bench.now)
        bench.claimed([.sample("a"), .sample("b"), .sample("c")])
        #expect(bench.attempts().begun.count == 1)
        bench.core.drain()
        let (begun, released, until) = bench.attempts()
        #expect(begun.isEmpty)
        #expect(released.map(\.profile.value) == ["b", "c"])
        #expect(until == nil)
        #expect(bench.core.inFlight == 1)
    }

    @Test("keeps its bounds and loses no delivery, whatever the upstream does", arguments: 1...20)
    func simulation(seed: Int) {
        var generator = Seeded(UInt64(seed))
        var bench = Bench {
            $0.interval = .milliseconds(100)
            $0.burst = 5
            $0.concurrency = 7
        }
        var waiting = (1...200).map { Delivery.sample("u\($0)") }
        var flying: [Delivery] = []
        var done = 0
        var begunAt: [Duration] = []
        for _ in 0..<20_000 where done < 200 {
            bench.core.wake()
            var isResting = false
            while !isResting {
                switch bench.core.next(at: bench.now) {
                case .attempt(let delivery):
                    flying.append(delivery)
                    begunAt.append(bench.elapsed)
                case .claim(let limit, _):
                    let taken = Array(waiting.prefix(limit))
                    waiting.removeFirst(taken.count)
                    bench.claimed(taken, hasMore: !waiting.isEmpty)
                case .release(let deliveries): waiting += deliveries
                case .wait(let time):
                    isResting = true
                    if flying.isEmpty { bench.elapsed = max(bench.elapsed, Bench.base.duration(to: time)) }
                case .rest: isResting = true
                }
            }
            #expect(bench.core.inFlight == flying.count)
            #expect(flying.count <= 7)
            bench.elapsed += .milliseconds(Int.random(in: 1...400, using: &generator))
            guard !flying.isEmpty else { continue }
            let delivery = flying.remove(at: Int.random(in: 0..<flying.count, using: &generator))
            let outcomes: [Outcome] = [
                .applied, .applied, .applied, .failing, .throttled, .misconfigured(.key), .abandoned,
            ]
            let outcome = outcomes[Int.random(in: 0..<outcomes.count, using: &generator)]
            switch bench.finish(delivery, outcome).settlement {
            case .applied: done += 1
            case .retry, .missing, .released, .abandoned: waiting.append(delivery)
            case .dead, .rejected: Issue.record("dead without a reason")
            }
        }
        #expect(done == 200)
        // Never more than the burst and what the rate allows, in any window.
        for (index, start) in begunAt.enumerated() {
            let within = begunAt[index...].prefix { $0 <= start + .seconds(5) }.count
            #expect(within <= 5 + 50 + 1)
        }
    }
}
