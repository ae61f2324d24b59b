/// How often something may happen: so many in a period, and how many of them at once.
package struct Rate: Sendable, Hashable {
    /// At most this many a second, so that the gap between two is never less than a microsecond.
    package static let mostPerSecond = 1_000_000
    package static let mostAtOnce = 1_000_000_000

    package let count: Int
    package let period: Duration
    /// How many may happen at once after a silence.
    package let burst: Int

    /// Nil for what is not positive, or more than `mostPerSecond` or `mostAtOnce`.
    /// - Parameter burst: `count` unless given.
    package init?(count: Int, per period: Duration, burst: Int? = nil) {
        let burst = burst ?? count
        guard (1...Self.mostAtOnce).contains(count), (1...Self.mostAtOnce).contains(burst), period > .zero,
            period >= .nanoseconds(count * (1_000_000_000 / Self.mostPerSecond))
        else { return nil }
        self.count = count
        self.period = period
        self.burst = burst
    }

    /// The time that one of them takes up, rounded up to a nanosecond: never more than the rate.
    package var interval: Duration {
        let nanoseconds = (period.attoseconds + 999_999_999) / 1_000_000_000
        let count = Int128(count)
        return Duration(attoseconds: (nanoseconds + count - 1) / count * 1_000_000_000)
    }
}

extension Rate: CustomStringConvertible {
    private static let units: [(name: String, period: Duration)] = [
        ("s", .seconds(1)), ("min", .seconds(60)), ("h", .seconds(3600)),
    ]

    /// Reads `1000/s`, `40000/min`, `5/h`, each with or without a burst: `20/s burst 100`.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count == 1 || (words.count == 3 && words[1] == "burst"),
            let slash = words[0].firstIndex(of: "/"), let count = Int(digits: words[0][..<slash]),
            let unit = Self.units.first(where: { $0.name == words[0][words[0].index(after: slash)...] })
        else { return nil }
        guard words.count == 3 else {
            self.init(count: count, per: unit.period)
            return
        }
        guard let burst = Int(digits: words[2]) else { return nil }
        self.init(count: count, per: unit.period, burst: burst)
    }

    /// As it is read; a period that is no unit is written in seconds.
    package var description: String {
        let unit = Self.units.first { $0.period == period }?.name ?? "\(period.inSeconds)s"
        return "\(count)/\(unit)" + (burst == count ? "" : " burst \(burst)")
    }
}

extension Int {
    /// Decimal digits and nothing else: no sign, no blank.
    package init?(digits: some StringProtocol) {
        guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit), let value = Int(digits) else { return nil }
        self = value
    }
}
