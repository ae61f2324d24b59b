/// An even rate with a small burst, that slows down when the upstream says "too many" and finds its way back.
///
/// GCRA: one number, the time at which the next attempt would be exactly on schedule.
struct Pacer: Sendable {
    private let interval: Duration
    private let burst: Int
    private var theoretical: ContinuousClock.Instant
    /// The share of the rate that is used, from 1/64 to 1.
    private(set) var share = 1.0
    private var lastChange: ContinuousClock.Instant
    private var pausedUntil: ContinuousClock.Instant?

    init(interval: Duration, burst: Int, now: ContinuousClock.Instant) {
        self.interval = interval
        self.burst = max(burst, 1)
        theoretical = now
        lastChange = now
    }

    /// Takes one attempt from the rate. Nil: go. Otherwise the time to ask again at; nothing is taken.
    mutating func take(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if let pause = pause(at: now) { return pause }
        let interval = interval / share
        let tolerance = interval * Double(burst - 1) * share
        let earliest = theoretical.advanced(by: .zero - tolerance)
        guard earliest <= now else { return earliest }
        theoretical = max(theoretical, now).advanced(by: interval)
        return nil
    }

    /// Until when nothing goes, because the upstream asked for it.
    func pause(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        pausedUntil.flatMap { now < $0 ? $0 : nil }
    }

    /// The upstream answered 429. Halves the share, once a second at most: attempts in flight together are one message.
    mutating func slow(at now: ContinuousClock.Instant, pausing pause: Duration?) {
        if let pause {
            let until = now.advanced(by: min(pause, .seconds(300)))
            pausedUntil = pausedUntil.map { max($0, until) } ?? until
        }
        guard lastChange.duration(to: now) >= .seconds(1) || share == 1 else { return }
        share = max(share / 2, 1.0 / 64)
        lastChange = now
    }

    /// The upstream took one. A tenth faster for each second without a 429, until the rate is whole again.
    mutating func recover(at now: ContinuousClock.Instant) {
        guard share < 1, lastChange.duration(to: now) >= .seconds(1) else { return }
        share = min(share * 1.1, 1)
        lastChange = now
    }
}
