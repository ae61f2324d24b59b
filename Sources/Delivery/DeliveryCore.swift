import DequeModule
package import Relay

/// Decides what one app's delivery does next. A value: time comes in, actions go out, and nothing happens here.
package struct DeliveryCore: Sendable {
    /// What the shell shall do.
    package enum Action: Sendable {
        /// Make an attempt; answer with `finished`.
        case attempt(Delivery)
        /// Ask the outbox for so many; answer with `claimed`.
        case claim(Int)
        /// Hand these back: they were claimed and will not be begun now.
        case release([Delivery])
        /// Ask again at that time, or when something happens.
        case wait(until: ContinuousClock.Instant)
        /// Nothing to do until something happens.
        case rest
    }

    /// What an ended attempt means.
    package struct Verdict: Sendable {
        package let settlement: Settlement
        /// Set when the circuit changed its state.
        package let change: CircuitChange?
    }

    private let policy: DeliveryPolicy
    private let backoff: Backoff
    private var pacer: Pacer
    private var circuit: Circuit
    /// Claimed and not begun.
    private var ready: Deque<Delivery> = []
    private var nextDue: ContinuousClock.Instant?
    /// The outbox may have more that is due than was claimed.
    private var mayHaveMore = true
    package private(set) var inFlight = 0
    package private(set) var isClaiming = false
    package private(set) var isDraining = false

    package init(policy: DeliveryPolicy, now: ContinuousClock.Instant) {
        self.policy = policy
        backoff = Backoff()
        pacer = Pacer(interval: policy.interval, burst: policy.burst, now: now)
        circuit = Circuit(failuresToOpen: policy.circuitFailures)
    }

    package mutating func wake() {
        mayHaveMore = true
    }

    package mutating func drain() {
        isDraining = true
    }

    package mutating func next(at now: ContinuousClock.Instant) -> Action {
        if isDraining {
            return ready.isEmpty ? .rest : .release(takeReady())
        }
        if let due = nextDue, due <= now {
            nextDue = nil
            mayHaveMore = true
        }
        let room: Int
        switch circuit.permission(at: now) {
        case .closed: room = policy.concurrency - inFlight
        case .probe: room = inFlight == 0 ? 1 : 0
        case .open(let until):
            if !ready.isEmpty { return .release(takeReady()) }
            return mayHaveMore ? .wait(until: until) : rest(at: now)
        }
        // It may be minutes: then what is not begun waits in the outbox, where it is seen and may be discarded. For a
        // moment it keeps its place.
        if let until = pacer.pause(at: now) {
            if !ready.isEmpty, now.duration(to: until) > .seconds(5) { return .release(takeReady()) }
            return mayHaveMore || !ready.isEmpty ? .wait(until: until) : rest(at: now)
        }
        // As many again as may be in flight are claimed ahead: a claim waits for the outbox's commit that is under way.
        let wanted = circuit.isClosed ? policy.concurrency : 1
        if mayHaveMore, !isClaiming, ready.count * 2 <= wanted, circuit.isClosed || room > 0, ready.count < wanted {
            isClaiming = true
            mayHaveMore = false
            return .claim(wanted - ready.count)
        }
        guard room > 0, let first = ready.first else { return rest(at: now) }
        if let time = pacer.take(at: now) { return .wait(until: time) }
        ready.removeFirst()
        inFlight += 1
        circuit.began(at: now)
        return .attempt(first)
    }

    /// - Parameter wall: the wall-clock time that `now` is, which turns stored times into the clock's.
    package mutating func claimed(_ claim: Claim, at now: ContinuousClock.Instant, wall: Timestamp) {
        isClaiming = false
        ready.append(contentsOf: claim.deliveries)
        if claim.hasMore { mayHaveMore = true }
        if let due = claim.nextDue {
            let time = now.advanced(by: max(due - wall, .zero))
            nextDue = nextDue.map { min($0, time) } ?? time
        }
    }

    /// - Parameter told: requests whose callers heard the answer while they waited.
    package mutating func finished(
        _ delivery: Delivery, _ outcome: Outcome, at now: ContinuousClock.Instant, wall: Timestamp, told: [UniqueID],
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        inFlight -= 1
        let change = circuit.ended(outcome, at: now, using: &generator)
        if case .failed(_, let after, isOverload: true) = outcome { pacer.slow(at: now, pausing: after) }
        if case .applied = outcome { pacer.recover(at: now) }
        let settlement = settlement(of: delivery, outcome, wall: wall, told: told, using: &generator)
        switch settlement {
        case .retry(let at, _), .missing(let at, _, _):
            let due = now.advanced(by: max(at - wall, .zero))
            nextDue = nextDue.map { min($0, due) } ?? due
        case .released, .applied, .dead:
            // The outbox tells of what is due again.
            break
        }
        return Verdict(settlement: settlement, change: change)
    }

    /// The table "What happens to a delivery" in the README.
    private func settlement(
        of delivery: Delivery, _ outcome: Outcome, wall: Timestamp, told: [UniqueID],
        using generator: inout some RandomNumberGenerator
    ) -> Settlement {
        let age = wall - (delivery.failingSince ?? wall)
        switch outcome {
        case .applied:
            return .applied(at: wall)
        case .rejected(let failure):
            return .dead(at: wall, failure)
        case .profileMissing(let failure):
            guard age < policy.profileWait else { return .dead(at: wall, failure) }
            let delay = backoff.missing(attempt: delivery.attempts, using: &generator)
            return .missing(retryAt: wall + delay, failure, told: told)
        case .misconfigured:
            // The patch is not to blame: it waits, uncounted, until the app works again.
            return .released
        case .failed(let failure, let after, _):
            guard age < policy.giveUpAfter else { return .dead(at: wall, failure) }
            let delay = backoff.failed(attempt: delivery.attempts, using: &generator)
            return .retry(at: wall + max(delay, after ?? .zero), failure)
        case .abandoned:
            return .released
        }
    }

    private mutating func takeReady() -> [Delivery] {
        defer { ready.removeAll() }
        mayHaveMore = true
        return Array(ready)
    }

    private func rest(at now: ContinuousClock.Instant) -> Action {
        nextDue.map { .wait(until: $0) } ?? .rest
    }
}
