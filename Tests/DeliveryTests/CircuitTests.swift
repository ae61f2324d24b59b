import Relay
import Testing

@testable import Delivery

@Suite("The circuit")
struct CircuitTests {
    let base = ContinuousClock.now

    /// Fails on end until it opens.
    private func opened(_ circuit: inout Circuit, _ generator: inout Seeded) -> CircuitChange? {
        for number in 1..<10 {
            #expect(circuit.ended(.failing, of: .number(number), at: base, using: &generator) == nil)
            #expect(circuit.permission(at: base) == .closed)
        }
        return circuit.ended(.failing, of: .number(10), at: base, using: &generator)
    }

    @Test("opens after ten failures on end, and says so once")
    func opens() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        #expect(opened(&circuit, &generator) == .opened(.timeout))
        #expect(circuit.ended(.failing, of: .number(0), at: base, using: &generator) == nil)
        guard case .open(let until) = circuit.permission(at: base) else {
            Issue.record("not open")
            return
        }
        #expect((Duration.milliseconds(750)...(.seconds(1))).contains(base.duration(to: until)))
    }

    @Test("one success among the failures starts the count anew")
    func successResets() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 2)
        for number in 0..<5 {
            #expect(circuit.ended(.failing, of: .number(number), at: base, using: &generator) == nil)
            #expect(circuit.ended(.applied, of: .number(0), at: base, using: &generator) == nil)
        }
        #expect(circuit.permission(at: base) == .closed)
    }

    @Test("a probe that works closes it; one that fails makes the pause longer")
    func probes() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        _ = opened(&circuit, &generator)
        var now = base
        var pauses: [Duration] = []
        for _ in 0..<8 {
            guard case .open(let until) = circuit.permission(at: now) else {
                Issue.record("not open")
                return
            }
            pauses.append(now.duration(to: until))
            now = until
            #expect(circuit.permission(at: now) == .probe(pauses.count.isMultiple(of: 2) ? .newest : .oldest))
            circuit.began(at: now)
            #expect(circuit.ended(.failing, of: .number(0), at: now, using: &generator) == nil)
        }
        for (earlier, later) in zip(pauses, pauses.dropFirst()) { #expect(later > earlier || later >= .seconds(45)) }
        #expect(pauses.allSatisfy { $0 <= .seconds(60) })
        now = now.advanced(by: .seconds(60))
        circuit.began(at: now)
        #expect(circuit.ended(.applied, of: .number(0), at: now, using: &generator) == .closed)
        #expect(circuit.permission(at: now) == .closed)
    }

    // Regression: one profile that a firewall refused paused the app for everybody, and was probed again and again.
    @Test(
        "one profile counts once, however often it fails, and however it is refused",
        arguments: [Outcome.blocked, .failing])
    func oneProfileCountsOnce(outcome: Outcome) {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        for round in 0..<100 {
            #expect(circuit.ended(outcome, of: .number(round % 9), at: base, using: &generator) == nil)
        }
        #expect(circuit.permission(at: base) == .closed)
        #expect(circuit.ended(outcome, of: .number(9), at: base, using: &generator) != nil)
    }

    @Test("those that are refused again and again open nothing, and as probes make no pause longer")
    func refusedAgain() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        for number in 0..<100 {
            #expect(
                circuit.ended(.blocked, of: .number(number), isRetry: true, at: base, using: &generator) == nil)
        }
        #expect(circuit.isClosed)
        for number in 0..<10 { _ = circuit.ended(.blocked, of: .number(number), at: base, using: &generator) }
        var now = base
        for number in 0..<20 {
            guard case .open(let until) = circuit.permission(at: now) else {
                Issue.record("not open")
                return
            }
            #expect(now.duration(to: until) <= .seconds(1))
            now = until
            // By turns all the same: what comes new is not kept behind those.
            #expect(circuit.permission(at: now) == .probe(number.isMultiple(of: 2) ? .oldest : .newest))
            circuit.began(at: now)
            _ = circuit.ended(.blocked, of: .number(number), isRetry: true, at: now, using: &generator)
        }
    }

    @Test("what is refused on end opens it, and one that was on its way and works closes it again")
    func refusals() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        for number in 0..<10 { _ = circuit.ended(.blocked, of: .number(number), at: base, using: &generator) }
        #expect(!circuit.isClosed)
        #expect(circuit.ended(.applied, of: .number(99), at: base, using: &generator) == .closed)
        #expect(circuit.isClosed)
    }

    @Test("wrong settings pause the app at once, and a probe a minute is let through")
    func pauses() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 10)
        #expect(circuit.ended(.misconfigured(.key), of: .number(0), at: base, using: &generator) == .paused(.key))
        #expect(circuit.permission(at: base) == .open(until: base.advanced(by: .seconds(60))))
        let later = base.advanced(by: .seconds(60))
        circuit.began(at: later)
        #expect(circuit.ended(.misconfigured(.key), of: .number(0), at: later, using: &generator) == nil)
        #expect(circuit.permission(at: later) == .open(until: later.advanced(by: .seconds(60))))
        let last = later.advanced(by: .seconds(60))
        circuit.began(at: last)
        #expect(circuit.ended(.applied, of: .number(0), at: last, using: &generator) == .closed)
    }

    @Test("429 and what we abandoned ourselves never open it")
    func ownOverloadDoesNotCount() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 1)
        for _ in 0..<100 {
            #expect(circuit.ended(.throttled, of: .number(0), at: base, using: &generator) == nil)
            #expect(circuit.ended(.abandoned, of: .number(0), at: base, using: &generator) == nil)
        }
        #expect(circuit.permission(at: base) == .closed)
    }

    @Test("a straggler that succeeds does not close it: the probe decides")
    func stragglersDoNotClose() {
        var generator = Seeded(1)
        var circuit = Circuit(failuresToOpen: 1)
        _ = circuit.ended(.failing, of: .number(0), at: base, using: &generator)
        #expect(circuit.ended(.applied, of: .number(0), at: base, using: &generator) == nil)
        #expect(!circuit.isClosed)
    }
}

extension ProfileReference {
    fileprivate static func number(_ number: Int) -> ProfileReference {
        .profileID(UniqueID(high: 7, low: UInt64(number)))
    }
}

@Suite("The pacer")
struct PacerTests {
    let base = ContinuousClock.now

    @Test("halves its rate on 429, once a second, and finds it again")
    func slowsAndRecovers() {
        var pacer = Pacer(interval: .milliseconds(10), burst: 1, now: base)
        pacer.slow(at: base, pausing: nil)
        pacer.slow(at: base.advanced(by: .milliseconds(10)), pausing: nil)
        #expect(pacer.share == 0.5)
        pacer.slow(at: base.advanced(by: .seconds(1)), pausing: nil)
        #expect(pacer.share == 0.25)
        var now = base.advanced(by: .seconds(1))
        var seconds = 0
        while pacer.share < 1 {
            now = now.advanced(by: .seconds(1))
            pacer.recover(at: now)
            pacer.recover(at: now)
            seconds += 1
        }
        #expect(seconds == 15)
    }

    @Test("never falls below a sixty-fourth of the rate")
    func hasAFloor() {
        var pacer = Pacer(interval: .milliseconds(10), burst: 1, now: base)
        for second in 0..<100 { pacer.slow(at: base.advanced(by: .seconds(second)), pausing: nil) }
        #expect(pacer.share == 1.0 / 64)
    }

    @Test("holds everything back while Retry-After of a 429 lasts")
    func pausesAsAsked() {
        var pacer = Pacer(interval: .milliseconds(10), burst: 10, now: base)
        pacer.slow(at: base, pausing: .seconds(7))
        #expect(pacer.take(at: base) == base.advanced(by: .seconds(7)))
        #expect(pacer.take(at: base.advanced(by: .seconds(7))) == nil)
    }
}

@Suite("The backoff")
struct BackoffTests {
    @Test("is fully jittered, grows, and stays below ten minutes")
    func failed() {
        var generator = Seeded(3)
        let backoff = Backoff()
        for attempt in 0..<40 {
            let step = Duration.seconds(min(2 << min(attempt, 12), 600))
            let drawn = (0..<200).map { _ in backoff.failed(attempt: attempt, using: &generator) }
            #expect(drawn.allSatisfy { $0 >= .milliseconds(100) && $0 <= step + .milliseconds(100) })
            let mean = drawn.reduce(.zero, +) / drawn.count
            #expect(mean > step * 0.35 && mean < step * 0.65 + .milliseconds(100))
        }
    }

    @Test("of a profile that is not there yet grows from seconds to an hour")
    func missing() {
        var generator = Seeded(3)
        let backoff = Backoff()
        let gaps = (0..<16).map { backoff.missing(attempt: $0, using: &generator) }
        #expect(gaps[0] <= .seconds(5) && gaps[0] >= .milliseconds(2500))
        #expect(gaps.last.map { $0 >= .seconds(1800) && $0 <= .seconds(3600) } == true)
    }
}
