import Relay

extension Refusal {
    /// 429 (RFC 6585 section 4) with the time to wait, and the limits that were met in the words of
    /// draft-ietf-httpapi-ratelimit-headers-10: `q` requests a window of `w` seconds; `r` of them are left, and more
    /// come in `t` seconds. Whole seconds, rounded up, at least one: who waits that long is let in.
    static func rateLimited(_ excesses: [Excess]) -> Refusal {
        let seconds = excesses.map(\.seconds).max() ?? 1
        return Refusal(
            429, "rate_limited", "Too many requests. Try again in \(seconds) \(seconds == 1 ? "second" : "seconds").",
            cause: excesses.map(\.meter.name).joined(separator: " "),
            headers: [
                Field("Retry-After", String(seconds)),
                Field("RateLimit-Policy", excesses.map(\.meter.policy).joined(separator: ", ")),
                Field("RateLimit", excesses.map(\.standing).joined(separator: ", ")),
            ])
    }
}

extension Meter {
    fileprivate var policy: String {
        "\"\(name)\";q=\(rate.count);w=\(max(1, rate.period.components.seconds))"
    }
}

extension Excess {
    fileprivate var seconds: UInt64 {
        let (whole, rest) = wait.quotientAndRemainder(dividingBy: 1_000_000_000)
        return max(1, rest == 0 ? whole : whole + 1)
    }

    fileprivate var standing: String { "\"\(meter.name)\";r=0;t=\(seconds)" }
}
