import DequeModule
package import Relay

/// Decides what one app's delivery does next. A value: time comes in, actions go out, and nothing happens here.
package struct DeliveryCore: Sendable {
    /// What the shell shall do.
    package enum Action: Sendable {
        /// Make an attempt; answer with `finished`.
        case attempt(Delivery)
        /// Ask the outbox for so many; answer with `claimed`. With an order where it is a probe.
        case claim(Int, probe: ProbeOrder? = nil)
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
    /// The first profile that was told to slow down since something last worked.
    private var throttled: ProfileReference?
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
        var probe: ProbeOrder?
        switch circuit.permission(at: now) {
        case .closed:
            room = policy.concurrency - inFlight
        case .probe(let order):
            room = inFlight == 0 ? 1 : 0
            probe = order
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
            return .claim(wanted - ready.count, probe: probe)
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
        _ delivery: Delivery, _ attempt: Attempt, at now: ContinuousClock.Instant, wall: Timestamp, told: [UniqueID],
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        let outcome = attempt.outcome
        inFlight -= 1
        let change = circuit.ended(
            outcome, of: delivery.profile, isRetry: delivery.attempts > 0, at: now, using: &generator)
        pace(outcome, of: delivery.profile, at: now)
        let settlement = settlement(of: delivery, attempt, wall: wall, told: told, using: &generator)
        switch settlement {
        case .retry(let at, _, _), .missing(let at, _, _):
            let due = now.advanced(by: max(at - wall, .zero))
            nextDue = nextDue.map { min($0, due) } ?? due
        case .released, .abandoned, .applied, .rejected, .dead:
            // The outbox tells of what is due again.
            break
        }
        return Verdict(settlement: settlement, change: change)
    }

    /// One profile that is told to slow down waits alone for as long as it was told to; where a second one is, with no
    /// success between, all do.
    private mutating func pace(_ outcome: Outcome, of profile: ProfileReference, at now: ContinuousClock.Instant) {
        switch outcome {
        case .failed(_, let after, isOverload: true):
            pacer.slow(at: now, pausing: throttled.map { $0 != profile } ?? false ? after : nil)
            throttled = throttled ?? profile
        case .applied:
            throttled = nil
            pacer.recover(at: now)
        case .rejected, .profileMissing, .misconfigured, .refused, .failed, .abandoned:
            break
        }
    }

    /// The table "What happens to a delivery" in the README.
    private func settlement(
        of delivery: Delivery, _ attempt: Attempt, wall: Timestamp, told: [UniqueID],
        using generator: inout some RandomNumberGenerator
    ) -> Settlement {
        let age = wall - (delivery.failingSince ?? wall)
        let uncertainUntil = attempt.isEndUnknown ? wall + policy.settleAfter : nil
        switch attempt.outcome {
        case .applied:
            return .applied(at: wall)
        case .rejected(let failure, let fields):
            return .rejected(at: wall, FieldRejection(failure, fields, answer: attempt.answer))
        case .profileMissing(let failure):
            guard age < policy.profileWait else { return .dead(at: wall, failure) }
            let delay = backoff.missing(attempt: delivery.attempts, using: &generator)
            return .missing(retryAt: wall + delay, failure, told: told)
        case .misconfigured:
            // The patch is not to blame: it waits, uncounted, until the app works again.
            return .released
        case .refused(let failure, let after), .failed(let failure, let after, _):
            guard age < policy.giveUpAfter else { return .dead(at: wall, failure) }
            let delay = backoff.failed(attempt: delivery.attempts, using: &generator)
            return .retry(at: wall + max(delay, after ?? .zero), failure, uncertainUntil: uncertainUntil)
        case .abandoned:
            return uncertainUntil.map { .abandoned(uncertainUntil: $0) } ?? .released
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
