import Relay

/// Whether an app's upstream is worth asking. Opens after failures on end, or at once when the app's settings are
/// wrong; lets one probe through when its time is up; closes when the probe works.
///
/// 429 does not count: it is an answer, and the pacer's business. Neither does what we abandoned ourselves.
struct Circuit: Sendable {
    enum Permission: Equatable {
        case closed
        /// One attempt, if none is in flight.
        case probe
        case open(until: ContinuousClock.Instant)
    }

    private enum State {
        case closed(failures: Int)
        case open(Opening)
        case halfOpen(Opening)
    }

    private struct Opening {
        var until: ContinuousClock.Instant
        /// Probes that failed on end.
        var probes: Int
        var isPaused: Bool
    }

    /// How often a misconfigured app is probed.
    static let pause = Duration.seconds(60)

    private let failuresToOpen: Int
    private var state = State.closed(failures: 0)

    init(failuresToOpen: Int) {
        self.failuresToOpen = max(failuresToOpen, 1)
    }

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    func permission(at now: ContinuousClock.Instant) -> Permission {
        switch state {
        case .closed: .closed
        case .halfOpen: .probe
        case .open(let opening): opening.until <= now ? .probe : .open(until: opening.until)
        }
    }

    /// An attempt begins; on an open circuit whose time is up it is the probe.
    mutating func began(at now: ContinuousClock.Instant) {
        if case .open(let opening) = state, opening.until <= now { state = .halfOpen(opening) }
    }

    /// An attempt ended. Returns the change, if the state changed.
    mutating func ended(
        _ outcome: Outcome, at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
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
        case .failed(let failure, _, _):
            return failed(failure, at: now, using: &generator)
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
        case .closed(failures: 0): return nil
        case .closed:
            state = .closed(failures: 0)
            return nil
        case .open:
            // A straggler from before it opened: the probe decides, not this one.
            return nil
        case .halfOpen:
            state = .closed(failures: 0)
            return .closed
        }
    }

    private mutating func failed(
        _ failure: Failure, at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> CircuitChange? {
        switch state {
        case .closed(let failures) where failures + 1 < failuresToOpen:
            state = .closed(failures: failures + 1)
            return nil
        case .closed:
            let rest = Self.rest(probes: 0, using: &generator)
            state = .open(Opening(until: now.advanced(by: rest), probes: 0, isPaused: false))
            return .opened(failure)
        case .open:
            return nil
        case .halfOpen(var opening):
            opening.probes += 1
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
