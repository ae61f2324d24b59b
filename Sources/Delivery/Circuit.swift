import Relay

/// Whether an app's upstream is worth asking. Opens when different profiles fail on end, or at once when the app's
/// settings are wrong; lets one probe through when its time is up; closes when the probe works.
///
/// One profile counts once, however often it fails: what is wrong with one holds up no other. A refusal counts the
/// first time: those that were refused before are tried again and again, and say nothing new of the upstream. 429 does
/// not count: it is an answer, and the pacer's business. Neither does what we abandoned ourselves.
struct Circuit: Sendable {
    enum Permission: Equatable {
        case closed
        /// One attempt, if none is in flight.
        case probe(ProbeOrder)
        case open(until: ContinuousClock.Instant)
    }

    fileprivate enum State {
        /// - `failing`: profiles that failed since something last worked.
        case closed(failing: Set<ProfileReference>)
        case open(Opening)
        case halfOpen(Opening)
    }

    fileprivate struct Opening {
        var until: ContinuousClock.Instant
        /// Probes that failed on end.
        var probes: Int
        /// Probes so far, whatever they came to.
        var turns = 0
        var isPaused: Bool
        /// Profiles were refused, which says nothing of those that are on their way: one that works shows that the
        /// upstream does.
        var isByRefusal = false
    }

    /// How often a misconfigured app is probed.
    static let pause = Duration.seconds(60)

    private let failuresToOpen: Int
    private var state = State.closed(failing: [])

    init(failuresToOpen: Int) {
        self.failuresToOpen = max(failuresToOpen, 1)
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    func permission(at now: ContinuousClock.Instant) -> Permission {
        switch state {
        case .closed: .closed
        case .halfOpen(let opening): .probe(opening.order)
        case .open(let opening): opening.until <= now ? .probe(opening.order) : .open(until: opening.until)
        }
    }

    /// An attempt begins; on an open circuit whose time is up it is the probe.
    mutating func began(at now: ContinuousClock.Instant) {
        if case .open(let opening) = state, opening.until <= now { state = .halfOpen(opening) }
    }

    /// An attempt for a profile ended. Returns the change, if the state changed.
    /// - Parameter isRetry: an attempt for it had failed before.
    mutating func ended(
        _ outcome: Outcome, of profile: ProfileReference, isRetry: Bool = false, at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> CircuitChange? {
        switch outcome {
        case .abandoned, .failed(_, _, isOverload: true):
            return nil
        case .applied, .rejected, .profileMissing:
            return answered()
        case .misconfigured(let failure):
            let wasPaused = isPaused
            state = .open(Opening(until: now.advanced(by: Self.pause), probes: 0, isPaused: true))
            return wasPaused ? nil : .paused(failure)
        case .refused where isRetry:
            refusedAgain(at: now, using: &generator)
            return nil
        case .refused(let failure, _):
            return failed(failure, of: profile, isRefusal: true, at: now, using: &generator)
        case .failed(let failure, _, _):
            return failed(failure, of: profile, isRefusal: false, at: now, using: &generator)
        }
    }

    private var isPaused: Bool {
        switch state {
        case .closed: false
        case .open(let opening), .halfOpen(let opening): opening.isPaused
        }
    }

    private mutating func answered() -> CircuitChange? {
        switch state {
        case .closed(let failing):
            if !failing.isEmpty { state = .closed(failing: []) }
            return nil
        case .open(let opening) where !opening.isByRefusal:
            // A straggler from before it opened: the probe decides, not this one.
            return nil
        case .open, .halfOpen:
            state = .closed(failing: [])
            return .closed
        }
    }

    /// Where it was the probe for want of another, the next one comes as soon as this one did.
    private mutating func refusedAgain(
        at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) {
        guard case .halfOpen(var opening) = state else { return }
        opening.turns += 1
        let rest = opening.isPaused ? Self.pause : Self.rest(probes: opening.probes, using: &generator)
        opening.until = now.advanced(by: rest)
        state = .open(opening)
    }

    private mutating func failed(
        _ failure: Failure, of profile: ProfileReference, isRefusal: Bool, at now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> CircuitChange? {
        switch state {
        case .closed(var failing):
            failing.insert(profile)
            guard failing.count >= failuresToOpen else {
                state = .closed(failing: failing)
                return nil
            }
            let rest = Self.rest(probes: 0, using: &generator)
            state = .open(
                Opening(until: now.advanced(by: rest), probes: 0, isPaused: false, isByRefusal: isRefusal))
            return .opened(failure)
        case .open:
            return nil
        case .halfOpen(var opening):
            opening.probes += 1
            opening.turns += 1
            opening.until = now.advanced(
                by: opening.isPaused ? Self.pause : Self.rest(probes: opening.probes, using: &generator))
            state = .open(opening)
            return nil
        }
    }

    /// One second, doubling to one minute, a quarter of it left to chance: many nodes shall not probe together.
    private static func rest(probes: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let whole = min(Duration.seconds(1) * (1 << min(probes, 6)), .seconds(60))
        return whole * 3 / 4 + .milliseconds(Int64.random(in: 0...(whole / 4).milliseconds, using: &generator))
    }
}

extension Circuit.Opening {
    /// By turns: those that wait longest may all be of one sender whom the upstream refuses.
    fileprivate var order: ProbeOrder { turns.isMultiple(of: 2) ? .oldest : .newest }
}
