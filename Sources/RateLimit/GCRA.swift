import Relay

/// The generic cell rate algorithm (ITU-T I.371, annex A) in its virtual scheduling form: a token bucket whose whole
/// state is one number, the theoretical arrival time of the next request. A pure value; the number is kept elsewhere,
/// one for every key.
///
/// Times are nanoseconds since the limiter began. In any window of `t`, at most `burst + t / interval` requests come
/// in.
struct GCRA: Sendable {
    /// The time one request takes up.
    let interval: UInt64
    /// How far the theoretical arrival time may run ahead of the clock.
    let tolerance: UInt64

    init(_ rate: Rate) {
        interval = rate.interval.nanoseconds
        tolerance = interval.clampedProduct(UInt64(rate.burst - 1))
    }

    enum Decision: Equatable {
        /// It may come in; `next` is the arrival time to keep.
        case conforming(next: UInt64)
        /// It may not, and would after `wait` nanoseconds if nothing else came in.
        case excessive(wait: UInt64)
    }

    /// - Parameter arrival: what was kept for the key; anything up to `now` means that nothing was.
    func decide(arrival: UInt64, at now: UInt64) -> Decision {
        let start = max(arrival, now)
        let ahead = start - now
        guard ahead <= tolerance else { return .excessive(wait: ahead - tolerance) }
        return .conforming(next: start.clampedSum(interval))
    }
}

extension UInt64 {
    fileprivate func clampedSum(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func clampedProduct(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

extension Duration {
    /// Whole nanoseconds, towards zero; nothing below zero, and saturating above.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds).clampedProduct(1_000_000_000).clampedSum(UInt64(attoseconds / 1_000_000_000))
    }
}
