import Relay

/// Reads dates and times of day as people and programs write them. Without a zone they are UTC, as Amplitude and
/// AppsFlyer mean it; a date alone is its beginning. Where day and month could be told apart only by guessing
/// (`10/11/2026`), it is none.
struct CalendarTime {
    private let text: UnsafeBufferPointer<UInt8>
    private var index = 0

    private init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
    }

    static func read(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard (8...80).contains(text.count) else { return nil }
        var reader = CalendarTime(text)
        let isOfNumbers =
            text[0].isDigit && (text[4].isDigit || text[4] == UInt8(ascii: "-") || text[4] == UInt8(ascii: "/"))
        return isOfNumbers ? reader.readNumbers() : reader.readWords()
    }

    // MARK: - By numbers

    /// `2026-10-14T08:21:43.117Z`, `2026-10-14 08:21:43`, `2026/10/14 09:21 +0100`, `2026-10-14T23:16UTC`,
    /// `2026-10-14`, `20261014T082143Z`.
    private mutating func readNumbers() -> Timestamp? {
        guard let year = digits(4...4) else { return nil }
        let separator = next
        let isPlain = separator?.isDigit ?? false
        if !isPlain {
            guard take(UInt8(ascii: "-")) || take(UInt8(ascii: "/")) else { return nil }
        }
        guard let month = digits(isPlain ? 2...2 : 1...2) else { return nil }
        if !isPlain, let separator { guard take(separator) else { return nil } }
        guard let day = digits(isPlain ? 2...2 : 1...2) else { return nil }
        guard next != nil else { return Timestamp(year: year, month: month, day: day) }
        guard take(UInt8(ascii: "T")) || take(UInt8(ascii: "t")) || takeBlanks() || isPlain else { return nil }
        guard let time = timeOfDay(isPlain: isPlain), let offset = zone() else { return nil }
        return timestamp(year, month, day, time, offset)
    }

    // MARK: - By names

    /// `Wed, 14 Oct 2026 08:21:43 GMT`, `14 October 2026 08:21`, `Oct 14, 2026 08:21:43`,
    /// `Wed Oct 14 2026 08:21:43 GMT+0000 (Coordinated Universal Time)`, `Wed Oct 14 08:21:43 2026`.
    private mutating func readWords() -> Timestamp? {
        var month: Int?
        if let name = word() {
            month = Self.month(name)
            if month == nil {
                guard Self.isWeekday(name) else { return nil }
                takeSeparators()
                if let name = word() {
                    guard let named = Self.month(name) else { return nil }
                    month = named
                }
            }
            takeSeparators()
        }
        guard let day = digits(1...2) else { return nil }
        takeSeparators()
        if month == nil {
            guard let name = word(), let named = Self.month(name) else { return nil }
            month = named
            takeSeparators()
        }
        guard let month else { return nil }
        let start = index
        if let year = digits(4...4) {
            takeSeparators()
            guard next != nil else { return Timestamp(year: year, month: month, day: day) }
            guard let time = timeOfDay(isPlain: false), let offset = zone() else { return nil }
            return timestamp(year, month, day, time, offset)
        }
        index = start
        guard let time = timeOfDay(isPlain: false), takeBlanks(), let year = digits(4...4), next == nil else {
            return nil
        }
        return timestamp(year, month, day, time, 0)
    }

    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    private static func month(_ name: String) -> Int? {
        guard name.count >= 3 else { return nil }
        return months.firstIndex { $0.hasPrefix(name) }.map { $0 + 1 }
    }

    private static func isWeekday(_ name: String) -> Bool {
        name.count >= 3 && weekdays.contains { $0.hasPrefix(name) }
    }

    // MARK: - Parts

    private func timestamp(
        _ year: Int, _ month: Int, _ day: Int, _ time: (Int, Int, Int, Int), _ offset: Int
    ) -> Timestamp? {
        Timestamp(
            year: year, month: month, day: day, hour: time.0, minute: time.1, second: time.2, millisecond: time.3
        )
        .map { Timestamp(milliseconds: $0.milliseconds - Int64(offset) * 60_000) }
    }

    /// `08:21`, `08:21:43`, `08:21:43.117`; without colons where it is plain.
    private mutating func timeOfDay(isPlain: Bool) -> (Int, Int, Int, Int)? {
        guard let hour = digits(isPlain ? 2...2 : 1...2), isPlain || take(UInt8(ascii: ":")), let minute = digits(2...2)
        else { return nil }
        guard isPlain ? next?.isDigit ?? false : take(UInt8(ascii: ":")) else { return (hour, minute, 0, 0) }
        guard let second = digits(2...2) else { return nil }
        guard take(UInt8(ascii: ".")) || take(UInt8(ascii: ",")) else { return (hour, minute, second, 0) }
        var millisecond = 0
        var count = 0
        while let byte = next, byte.isDigit {
            if count < 3 { millisecond = millisecond * 10 + Int(byte - 0x30) }
            count += 1
            index += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<max(3, count) { millisecond *= 10 }
        return (hour, minute, second, millisecond)
    }

    /// Minutes east of UTC, to the end; nil for what is no zone. Nothing, `Z`, `UTC`, `GMT`, `+01:00`, `+0100`, `+01`,
    /// `GMT+0100`, `+0000 UTC`, and a name in parentheses behind.
    private mutating func zone() -> Int? {
        takeBlanks()
        var offset = 0
        let isNamed = takeUTC()
        if let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            index += 1
            guard let hours = digits(2...2), hours <= 18 else { return nil }
            var minutes = 0
            if take(UInt8(ascii: ":")) || next?.isDigit ?? false {
                guard let read = digits(2...2), read < 60 else { return nil }
                minutes = read
            }
            offset = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
            takeBlanks()
            if !isNamed { _ = takeUTC() }
        }
        takeBlanks()
        if next == UInt8(ascii: "("), text.last == UInt8(ascii: ")") { return offset }
        return next == nil ? offset : nil
    }

    private mutating func takeUTC() -> Bool {
        let name = takeLetters()
        // Without a text made of it: this is asked of nearly every time.
        if Self.utc.contains(where: { name.equals($0) }) { return true }
        index -= name.count
        return false
    }

    private static let utc = ["z", "utc", "gmt", "ut"].map { Array($0.utf8) }

    // MARK: - Bytes

    private var next: UInt8? { index < text.count ? text[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        index += 1
        return true
    }

    @discardableResult
    private mutating func takeBlanks() -> Bool {
        let start = index
        while let byte = next, byte.isBlank { index += 1 }
        return index > start
    }

    /// What stands between the words of a date.
    private mutating func takeSeparators() {
        while let byte = next, byte.isBlank || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "-") { index += 1 }
    }

    private mutating func digits(_ count: ClosedRange<Int>) -> Int? {
        var result = 0
        var length = 0
        while length < count.upperBound, let byte = next, byte.isDigit {
            result = result * 10 + Int(byte - 0x30)
            length += 1
            index += 1
        }
        return length >= count.lowerBound ? result : nil
    }

    /// ASCII letters, in lower case.
    private mutating func word() -> String? {
        let letters = takeLetters()
        return letters.isEmpty ? nil : String(decoding: letters.map(\.lowercased), as: UTF8.self)
    }

    private mutating func takeLetters() -> UnsafeBufferPointer<UInt8> {
        let start = index
        while let byte = next, byte.isLetterOrDigit, !byte.isDigit { index += 1 }
        return UnsafeBufferPointer(rebasing: text[start..<index])
    }
}
