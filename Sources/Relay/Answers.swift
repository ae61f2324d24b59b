import Synchronization

/// Where callers that wait meet the upstream's answers. An answer may arrive before its caller begins to wait, or
/// never.
package final class Answers: Sendable {
    private enum State {
        case expected
        /// - `until`: when the wait is over.
        case awaited(CheckedContinuation<UpstreamAnswer?, Never>, until: ContinuousClock.Instant)
        case arrived(UpstreamAnswer?)
    }

    private struct Waits {
        var states: [UniqueID: State] = [:]
        /// When they are looked through next for those that are over; nil where no look is set.
        var lookDue: ContinuousClock.Instant?
        /// Nobody waits longer than until then.
        var end: ContinuousClock.Instant?
    }

    private let waits = Mutex(Waits())
    private let isHeld: @Sendable (String) -> Bool
    private let clock: any Clock<Duration>

    /// - Parameter isHeld: whether an app's deliveries are held back: nobody's patience would see an answer of theirs.
    package init(clock: any Clock<Duration>, isHeld: @escaping @Sendable (_ app: String) -> Bool = { _ in false }) {
        self.clock = clock
        self.isHeld = isHeld
    }

    /// Begins to keep what arrives for a request. Ends with `answer(to:within:)`, or with `forget` before it.
    package func expect(_ request: UniqueID) {
        waits.withLock { $0.states[request] = .expected }
    }

    package func forget(_ request: UniqueID) {
        waits.withLock { $0.states[request] = nil }
    }

    /// Adapty's answer; nil when the wait is over, or when it is known that none will come soon.
    ///
    /// The end of the wait goes through the same door as an answer, and one of them is first: whoever delivered was
    /// told that its answer is heard exactly if it is returned here. Otherwise a patch could be dropped whose caller
    /// was promised its delivery.
    package func answer(to request: UniqueID, of app: String, within wait: Duration) async -> UpstreamAnswer? {
        if isHeld(app) { _ = arrived(nil, for: request) }
        return await arrival(of: request, until: .now + wait)
    }

    /// Hands an answer to whoever waits for it. Nil: nothing will come within a caller's patience.
    /// - Returns: whether somebody still waited.
    package func arrived(_ answer: UpstreamAnswer?, for request: UniqueID) -> Bool {
        let (isAwaited, waiting) = waits.withLock { waits -> (Bool, CheckedContinuation<UpstreamAnswer?, Never>?) in
            switch waits.states[request] {
            case .expected:
                waits.states[request] = .arrived(answer)
                return (true, nil)
            case .awaited(let continuation, until: _):
                waits.states[request] = nil
                return (true, continuation)
            case .arrived, nil:
                return (false, nil)
            }
        }
        waiting?.resume(returning: answer)
        return isAwaited
    }

    /// No wait goes on beyond a time from now: the node stops, and a caller is better told that its patch is kept than
    /// not answered at all.
    package func end(within rest: Duration) {
        let end = ContinuousClock.now + rest
        waits.withLock { waits in
            waits.end = end
            for case (let request, .awaited(let continuation, let until)) in waits.states {
                waits.states[request] = .awaited(continuation, until: min(until, end))
            }
            lookAgain(at: end, &waits)
        }
    }

    private func arrival(of request: UniqueID, until end: ContinuousClock.Instant) async -> UpstreamAnswer? {
        await withCheckedContinuation { continuation in
            let arrived = waits.withLock { waits -> UpstreamAnswer?? in
                switch waits.states[request] {
                case .expected:
                    let end = min(end, waits.end ?? end)
                    waits.states[request] = .awaited(continuation, until: end)
                    lookAgain(at: end, &waits)
                    return nil
                case .arrived(let answer):
                    waits.states[request] = nil
                    return .some(answer)
                case .awaited, nil:
                    return .some(nil)
                }
            }
            if let arrived { continuation.resume(returning: arrived) }
        }
    }

    // MARK: The end of waits

    /// How late a wait may end. One look at all of them now and then instead of a timer for each: nearly every caller
    /// is answered within milliseconds, and to set a timer for it cost more than the rest of its waiting.
    private static let tick = Duration.milliseconds(50)

    private func lookAgain(at end: ContinuousClock.Instant, _ waits: inout Waits) {
        if let due = waits.lookDue, due <= end + Self.tick { return }
        waits.lookDue = end
        Task { [clock] in
            try? await clock.sleep(for: max(.zero, ContinuousClock.now.duration(to: end)) + .milliseconds(1))
            endWaits(until: end)
        }
    }

    private func endWaits(until time: ContinuousClock.Instant) {
        let over = waits.withLock { waits -> [UniqueID] in
            var next: ContinuousClock.Instant?
            var over: [UniqueID] = []
            for case (let request, .awaited(_, until: let end)) in waits.states {
                if end <= time { over.append(request) } else { next = min(next ?? end, end) }
            }
            // Another look may have been set for an earlier end since.
            guard let due = waits.lookDue, due <= time else { return over }
            waits.lookDue = nil
            if let next { lookAgain(at: next + Self.tick, &waits) }
            return over
        }
        for request in over { _ = arrived(nil, for: request) }
    }
}
