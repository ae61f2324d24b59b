import Relay

/// How long a delivery waits before its next attempt.
struct Backoff: Sendable {
    /// Full jitter: anything from nothing to the step, so that what failed together does not come back together.
    /// Source: "Exponential Backoff And Jitter", Marc Brooker, AWS Architecture Blog.
    /// - Parameter attempt: attempts that failed before this one.
    func failed(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let step = Self.step(from: .seconds(2), to: .seconds(600), attempt)
        return .milliseconds(Int64.random(in: 0...step.milliseconds, using: &generator)) + .milliseconds(100)
    }

    /// A profile that is not there yet is usually a race with the app's first start: soon at first, then ever less
    /// often. Half of each gap is fixed, for here it is the gap that matters, not the herd.
    func missing(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let step = Self.step(from: .seconds(5), to: .seconds(3600), attempt)
        return step / 2 + .milliseconds(Int64.random(in: 0...(step / 2).milliseconds, using: &generator))
    }

    private static func step(from first: Duration, to last: Duration, _ attempt: Int) -> Duration {
        min(first * (1 << min(max(attempt, 0), 20)), last)
    }
}
