import Relay

/// Reads when an event happened, in any of the vendors' ways of writing it.
enum EventTime {
    /// Before it none of these vendors sent events: a time that is older is a clock that was never set.
    private static let earliest = Timestamp(year: 2010, month: 1, day: 1) ?? Timestamp(milliseconds: 0)
    /// How far ahead of ours a clock may be: phones in the wrong zone are common. A time that is further in the future
    /// would win every merge until then.
    private static let tolerance = Duration.seconds(24 * 3600)

    /// - Returns: nil for what is no time, and for one that cannot be true.
    static func read(_ value: JSONValue, received: Timestamp) -> Timestamp? {
        guard value.kind == .string || value.kind == .number else { return nil }
        let text = value.text.trimmingBlanks
        guard let time = epoch(text) ?? calendar(text) else { return nil }
        return time >= earliest && time <= received + tolerance ? time : nil
    }

    /// Seconds, milliseconds, microseconds or nanoseconds since 1970: their sizes do not overlap before the year 5138.
    /// A fraction is of a second, or of no interest.
    private static func epoch(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.endIndex
        guard (1...19).contains(point), let whole = integer(text, 0..<point) else { return nil }
        var fraction = 0
        if point < text.endIndex {
            guard let read = thousandths(text, (point + 1)..<text.endIndex) else { return nil }
            fraction = read
        }
        switch whole {
        case ..<100_000_000_000: return Timestamp(milliseconds: Int64(whole * 1000 + fraction))
        case ..<100_000_000_000_000: return Timestamp(milliseconds: Int64(whole))
        case ..<100_000_000_000_000_000: return Timestamp(milliseconds: Int64(whole / 1000))
        default: return Timestamp(milliseconds: Int64(whole / 1_000_000))
        }
    }

    /// `2026-10-14T08:21:43.117Z`, `2026-10-14 08:21:43`, `2026-10-14 09:21:43.117+0100`. Without a zone it is UTC, as
    /// Amplitude and AppsFlyer mean it.
    private static func calendar(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard text.count >= 19, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = integer(text, 0..<4), let month = integer(text, 5..<7), let day = integer(text, 8..<10),
            let hour = integer(text, 11..<13), let minute = integer(text, 14..<16), let second = integer(text, 17..<19)
        else { return nil }
        var index = 19
        var millisecond = 0
        if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
            let start = index + 1
            index = start
            while index < text.count, text[index].isDigit { index += 1 }
            guard let read = thousandths(text, start..<index) else { return nil }
            millisecond = read
        }
        guard let offset = zone(text, from: index),
            let local = Timestamp(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, millisecond: millisecond
            )
        else { return nil }
        return Timestamp(milliseconds: local.milliseconds - Int64(offset) * 60_000)
    }

    /// Minutes east of UTC; nil for what is no zone. Nothing, `Z`, ` UTC`, `+01:00`, `+0100`, `+01`.
    private static func zone(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
        let rest = UnsafeBufferPointer(rebasing: text[index...])
        guard let sign = rest.first else { return 0 }
        if rest.count == 1, sign.lowercased == UInt8(ascii: "z") { return 0 }
        if rest.count == 3, rest.elementsEqual("UTC".utf8) { return 0 }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), let hours = integer(rest, 1..<3), hours <= 18
        else {
            return nil
        }
        var minutes = 0
        switch rest.count {
        case 3: break
        case 5, 6:
            if rest.count == 6, rest[3] != UInt8(ascii: ":") { return nil }
            guard let read = integer(rest, (rest.count - 2)..<rest.count), read < 60 else { return nil }
            minutes = read
        default: return nil
        }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    /// Digits only, at most 19 of them: they fit.
    private static func integer(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        guard range.upperBound <= text.count, !range.isEmpty else { return nil }
        var result = 0
        for index in range {
            guard text[index].isDigit else { return nil }
            let (tens, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(text[index] - 0x30))
            guard !overflow, !carry else { return nil }
            result = sum
        }
        return result
    }

    /// The first three digits behind a decimal point.
    private static func thousandths(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        var result = 0
        for place in 0..<range.count {
            let byte = text[range.lowerBound + place]
            guard byte.isDigit else { return nil }
            if place < 3 { result = result * 10 + Int(byte - 0x30) }
        }
        for _ in range.count..<max(3, range.count) { result *= 10 }
        return result
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Without the ASCII blanks around it.
    var trimmingBlanks: UnsafeBufferPointer<UInt8> {
        var rest = self[...]
        while let first = rest.first, first.isBlank { rest = rest.dropFirst() }
        while let last = rest.last, last.isBlank { rest = rest.dropLast() }
        return UnsafeBufferPointer(rebasing: rest)
    }
}
