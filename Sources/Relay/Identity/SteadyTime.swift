/// Wall-clock times that no step of the wall clock moves: the time at which this was made, and what has passed since
/// on the monotonic clock. What is due, and how long something has lasted, is told by these inside the process; a wall
/// clock that jumps back must not delay a retry, nor one that jumps ahead give up on it.
///
/// Times of one process can be compared with each other. What is stored is of an earlier process, whose clock may have
/// been another: whoever loads it makes it fit (see the outbox's recovery).
package struct SteadyTime<SteadyClock: Clock>: Sendable where SteadyClock.Duration == Swift.Duration {
    private let clock: SteadyClock
    private let start: SteadyClock.Instant
    private let wallStart: Timestamp

    /// - Parameter wall: the wall clock's time at this moment; it is never asked again.
    package init(_ clock: SteadyClock, wall: Timestamp = .now) {
        self.clock = clock
        start = clock.now
        wallStart = wall
    }

    package var now: Timestamp { wallStart + start.duration(to: clock.now) }
}
