/// The continuous clock, with sleeps that are timers of a loop. `Task.sleep` would wake a thread of the global pool
/// instead.
package struct LoopClock: Clock {
    private let loop: EventLoop

    package init(_ loop: EventLoop) {
        self.loop = loop
    }

    package var now: ContinuousClock.Instant { .now }

    package var minimumResolution: Duration { .milliseconds(1) }

    package func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        let sleep = Sleep()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                loop.execute { [loop] in sleep.begin(on: loop, until: deadline, continuation) }
            }
        } onCancel: {
            loop.execute { sleep.cancel() }
        }
    }
}

/// One sleep. Touched only on its loop, where both its closures run: hence unchecked.
private final class Sleep: @unchecked Sendable {
    private enum State {
        case new
        case sleeping(LoopTimer, CheckedContinuation<Void, any Error>)
        case over
    }

    private var state = State.new

    func begin(
        on loop: EventLoop, until deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        guard case .new = state else {
            continuation.resume(throwing: CancellationError())
            return
        }
        let timer = LoopTimer(loop) { [unowned self] in end { $0.resume() } }
        state = .sleeping(timer, continuation)
        timer.schedule(after: ContinuousClock.now.duration(to: deadline))
    }

    func cancel() {
        end { $0.resume(throwing: CancellationError()) }
    }

    private func end(_ resume: (CheckedContinuation<Void, any Error>) -> Void) {
        guard case .sleeping(let timer, let continuation) = exchange(&state, with: .over) else { return }
        timer.cancel()
        resume(continuation)
    }
}
