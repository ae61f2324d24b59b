import Synchronization

/// Where callers that wait meet the upstream's answers. An answer may arrive before its caller begins to wait, or
/// never.
package final class Answers: Sendable {
    private enum State {
        case expected
        case awaited(CheckedContinuation<UpstreamAnswer?, Never>)
        case arrived(UpstreamAnswer?)
    }

    private let states = Mutex<[UniqueID: State]>([:])
    /// Apps whose deliveries are held back: nobody's patience would see an answer of theirs.
    private let held = Mutex<Set<String>>([])
    private let clock: any Clock<Duration>

    package init(clock: any Clock<Duration>) {
        self.clock = clock
    }

    /// Begins to keep what arrives for a request. Ends with `answer(to:within:)`, or with `forget` before it.
    package func expect(_ request: UniqueID) {
        states.withLock { $0[request] = .expected }
    }

    package func forget(_ request: UniqueID) {
        states.withLock { $0[request] = nil }
    }

    /// Adapty's answer; nil when the wait is over, or when it is known that none will come soon.
    ///
    /// The end of the wait goes through the same door as an answer, and one of them is first: whoever delivered was
    /// told that its answer is heard exactly if it is returned here. Otherwise a patch could be dropped whose caller
    /// was promised its delivery.
    package func answer(to request: UniqueID, of app: String, within wait: Duration) async -> UpstreamAnswer? {
        if held.withLock({ $0.contains(app) }) { _ = arrived(nil, for: request) }
        return await withTaskGroup { group in
            group.addTask { [clock] in
                do { try await clock.sleep(for: wait) } catch { return }
                _ = self.arrived(nil, for: request)
            }
            let answer = await arrival(of: request)
            group.cancelAll()
            return answer
        }
    }

    /// Hands an answer to whoever waits for it. Nil: nothing will come within a caller's patience.
    /// - Returns: whether somebody still waited.
    package func arrived(_ answer: UpstreamAnswer?, for request: UniqueID) -> Bool {
        let (isAwaited, waiting) = states.withLock { states -> (Bool, CheckedContinuation<UpstreamAnswer?, Never>?) in
            switch states[request] {
            case .expected:
                states[request] = .arrived(answer)
                return (true, nil)
            case .awaited(let continuation):
                states[request] = nil
                return (true, continuation)
            case .arrived, nil:
                return (false, nil)
            }
        }
        waiting?.resume(returning: answer)
        return isAwaited
    }

    /// Deliveries of an app are held back from now on, or go on.
    package func hold(_ app: String, _ isHeld: Bool) {
        held.withLock { held in
            if isHeld { held.insert(app) } else { held.remove(app) }
        }
    }

    private func arrival(of request: UniqueID) async -> UpstreamAnswer? {
        await withCheckedContinuation { continuation in
            let arrived = states.withLock { states -> UpstreamAnswer?? in
                switch states[request] {
                case .expected:
                    states[request] = .awaited(continuation)
                    return nil
                case .arrived(let answer):
                    states[request] = nil
                    return .some(answer)
                case .awaited, nil:
                    return .some(nil)
                }
            }
            if let arrived { continuation.resume(returning: arrived) }
        }
    }
}
