import Relay

extension Headers.Place {
    /// Reads one field line, RFC 9112 section 5: a token, a colon right behind it, blanks, a value without control bytes.
    /// A folded line begins with a blank, which is no token, and so is refused (section 5.2).
    init(readingLine line: Range<Int>, of bytes: Span<UInt8>) throws(Refusal) {
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon].isTokenByte { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .badRequest("A header field is malformed.")
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start].isFieldBlank { start += 1 }
        while end > start, bytes[end - 1].isFieldBlank { end -= 1 }
        for index in start..<end {
            guard !bytes[index].isControl || bytes[index] == .tab else {
                throw .badRequest("A header field contains a control character.")
            }
        }
        self.init(name: line.lowerBound..<colon, value: start..<end)
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20

    /// SP or HTAB: what may stand around a value. CR and LF may not.
    var isFieldBlank: Bool { self == .space || self == .tab }

    /// `tchar` of RFC 9110 section 5.6.2.
    var isTokenByte: Bool {
        self < 128 && (self < 64 ? Self.lowTokenBytes : Self.highTokenBytes) >> UInt64(self & 63) & 1 == 1
    }

    private static let lowTokenBytes = tokenBytes(64 * 0)
    private static let highTokenBytes = tokenBytes(64 * 1)

    /// One bit for each of 64 bytes, from `first` on.
    private static func tokenBytes(_ first: UInt8) -> UInt64 {
        var bits: UInt64 = 0
        for byte in first..<first + 64 where byte.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(byte) {
            bits |= 1 << UInt64(byte - first)
        }
        return bits
    }
}

extension Span<UInt8> {
    func equals(_ text: StaticString, at index: Int) -> Bool {
        text.withUTF8Buffer { text in
            guard index >= 0, count - index >= text.count else { return false }
            for offset in 0..<text.count where self[index + offset] != text[offset] { return false }
            return true
        }
    }

    /// Whether a range holds a word, in either case.
    /// - Parameter word: in lower case.
    func holds(_ word: StaticString, in range: Range<Int>) -> Bool {
        word.withUTF8Buffer { word in
            guard range.count == word.count else { return false }
            for offset in 0..<word.count where self[range.lowerBound + offset].lowercased != word[offset] {
                return false
            }
            return true
        }
    }
}
