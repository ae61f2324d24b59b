#if canImport(Glibc)
    import Glibc
#endif

/// A point in wall-clock time, in whole milliseconds since 1970 UTC. What vendors give and what is stored.
package struct Timestamp: Sendable, Hashable, Comparable {
    package let milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Of what happened at a time that nobody can read: everything else is newer.
    package static let oldest = Timestamp(milliseconds: 0)

    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// Saturates instead of overflowing: times come from payloads.
    package static func + (time: Timestamp, duration: Duration) -> Timestamp {
        let (sum, overflow) = time.milliseconds.addingReportingOverflow(duration.milliseconds)
        return Timestamp(milliseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func - (time: Timestamp, duration: Duration) -> Timestamp { time + (.zero - duration) }

    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        let (difference, overflow) = later.milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return .milliseconds(overflow ? (later < earlier ? .min : .max) : difference)
    }
}

extension Timestamp {
    /// A proleptic Gregorian date and time in UTC; nil where a part is out of its range.
    /// Days from the civil calendar by Howard Hinnant's method (`days_from_civil`).
    package init?(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, millisecond: Int = 0
    ) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second),
            (0...999).contains(millisecond)
        else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        let seconds = days * 86400 + hour * 3600 + minute * 60 + second
        self.init(milliseconds: Int64(seconds) * 1000 + Int64(millisecond))
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-10-14T08:21:43.117Z`.
    package var description: String {
        var text = ByteText(reserving: 32)
        write(to: &text)
        return text.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// The same, at the end of what is there: log lines are many.
    func write(to text: inout ByteText) {
        let (days, rest) = milliseconds.flooredDivision(by: 86_400_000)
        let shifted = days + 719_468
        let (era, dayOfEra) = shifted.flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        if year < 0 { text.append(UInt8(ascii: "-")) }
        func put(_ value: Int64, _ end: UInt8) {
            text.append(twoDigits: Int(value))
            text.append(end)
        }
        text.append(decimal: year.magnitude, width: 4)
        text.append(UInt8(ascii: "-"))
        put(month, UInt8(ascii: "-"))
        put(day, UInt8(ascii: "T"))
        put(rest / 3_600_000, UInt8(ascii: ":"))
        put(rest / 60_000 % 60, UInt8(ascii: ":"))
        put(rest / 1000 % 60, UInt8(ascii: "."))
        text.append(decimal: UInt64(rest % 1000), width: 3)
        text.append(UInt8(ascii: "Z"))
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = self % divisor
        return remainder < 0 ? (self / divisor - 1, remainder + divisor) : (self / divisor, remainder)
    }
}

extension Duration {
    /// Attoseconds, where they fit: up to 18 seconds, as most that is measured. Dividing 64 bits is a tenth of the work
    /// that dividing 128 is.
    private var fewAttoseconds: UInt64? {
        let all = attoseconds
        return all >= 0 && all <= Int128(UInt64.max) ? UInt64(truncatingIfNeeded: all) : nil
    }

    /// Whole milliseconds, towards zero; saturates.
    package var milliseconds: Int64 {
        if let few = fewAttoseconds { return Int64(few / 1_000_000_000_000_000) }
        return Int64(clamping: attoseconds / 1_000_000_000_000_000)
    }

    /// Whole microseconds, towards zero; saturates.
    package var microseconds: Int64 {
        if let few = fewAttoseconds { return Int64(few / 1_000_000_000_000) }
        return Int64(clamping: attoseconds / 1_000_000_000_000)
    }

    package var inSeconds: Double {
        let (seconds, attoseconds) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000)
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
