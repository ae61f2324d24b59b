import Relay

/// Reads when an event happened, in any of the vendors' ways of writing it.
enum EventTime: Equatable {
    /// Nothing is there, or a text that means nothing.
    case absent
    case time(Timestamp)
    /// Something is there that is no time, or one that cannot be true.
    case unreadable

    /// Before it none of these vendors sent events: a time that is older is a clock that was never set.
    private static let earliest = Timestamp(year: 2010, month: 1, day: 1) ?? Timestamp(milliseconds: 0)
    /// How far ahead of ours a clock may be: phones in the wrong zone are common. A time that is further in the future
    /// would win every merge until then.
    private static let tolerance = Duration.seconds(24 * 3600)
    /// 0 is a clock that was never set: there, and no time.
    private static let meaningless = Meaningless.usual.except(["0", "-1"])

    static func read(_ value: JSONValue, received: Timestamp) -> EventTime {
        switch value.kind {
        case .null: return .absent
        case .string, .number: break
        case .bool, .brokenString, .array, .object: return .unreadable
        }
        let text = value.text.trimmingBlanks
        func isPossible(_ time: Timestamp) -> Bool { time >= earliest && time <= received + tolerance }
        if let time = epoch(text), isPossible(time) { return .time(time) }
        if let time = CalendarTime.read(text), isPossible(time) { return .time(time) }
        return meaningless.covers(text) ? .absent : .unreadable
    }

    /// Seconds, milliseconds, microseconds or nanoseconds since 1970: their sizes do not overlap before the year 5138.
    /// A fraction is of a second, or of no interest. `1.7642376E15` is how BigQuery and spreadsheets write a large one.
    private static func epoch(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard let (whole, fraction) = digits(text) ?? decimal(text) else { return nil }
        switch whole {
        case ..<100_000_000_000: return Timestamp(milliseconds: Int64(whole * 1000 + fraction))
        case ..<100_000_000_000_000: return Timestamp(milliseconds: Int64(whole))
        case ..<100_000_000_000_000_000: return Timestamp(milliseconds: Int64(whole / 1000))
        default: return Timestamp(milliseconds: Int64(whole / 1_000_000))
        }
    }

    /// Nothing but digits, which is what nearly all are.
    private static func digits(_ text: UnsafeBufferPointer<UInt8>) -> (whole: Int, thousandths: Int)? {
        // Nineteen digits fit where the first is no 9.
        guard (1...19).contains(text.count), text.count < 19 || text[0] < UInt8(ascii: "9") else { return nil }
        var whole = 0
        for byte in text {
            guard byte.isDigit else { return nil }
            whole = whole * 10 + Int(byte - 0x30)
        }
        return (whole, 0)
    }

    /// A number without a sign: what is before its point, and the thousandths behind it. Exact; nil for one of more
    /// digits before the point than fit.
    private static func decimal(_ text: UnsafeBufferPointer<UInt8>) -> (whole: Int, thousandths: Int)? {
        guard let first = text.first, first.isDigit else { return nil }
        // Nearly all that come here are dates: told by what stands behind the first digits.
        switch text.first(where: { !$0.isDigit }) {
        case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): break
        case nil where text.count > 19: break
        default: return nil
        }
        var digits: [UInt8] = []
        var point: Int?
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte.isDigit {
                // Digits beyond these are fractions of a nanosecond, or too many.
                if digits.count < 40 { digits.append(byte - 0x30) } else if point == nil { return nil }
            } else if byte == UInt8(ascii: "."), point == nil {
                point = digits.count
            } else {
                break
            }
            index += 1
        }
        var places = point ?? digits.count
        // A point with nothing behind it is no number.
        guard places < digits.count || point == nil else { return nil }
        if index < text.count {
            guard text[index].lowercased == UInt8(ascii: "e"),
                let exponent = exponent(UnsafeBufferPointer(rebasing: text[(index + 1)...]))
            else { return nil }
            places += exponent
        }
        guard places >= 0 else { return nil }
        func number(_ range: Range<Int>) -> Int {
            range.reduce(0) { $0 * 10 + ($1 < digits.count ? Int(digits[$1]) : 0) }
        }
        let zeros = digits.prefix { $0 == 0 }.count
        let length = places - min(zeros, places)
        guard length < 19 || (length == 19 && digits[zeros] < 9) else { return nil }
        return (number(min(zeros, places)..<places), number(places..<(places + 3)))
    }

    /// Two digits at most.
    private static func exponent(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let isSigned = text.first == UInt8(ascii: "+") || text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isSigned ? 1 : 0)
        guard (1...2).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        let size = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return text.first == UInt8(ascii: "-") ? -size : size
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
