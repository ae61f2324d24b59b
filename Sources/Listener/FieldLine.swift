import Relay

extension Headers.Place {
    /// Reads one field line, RFC 9112 section 5: a token, a colon right behind it, blanks, a value without control
    /// bytes. A folded line begins with a blank, which is no token, and so is refused (section 5.2).
    init(readingLine line: Range<Int>, of bytes: Span<UInt8>) throws(Refusal) {
        var colon = line.lowerBound
        while colon < line.upperBound, ByteClass.token.contains(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .badRequest("A header field is malformed.")
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start].isFieldBlank { start += 1 }
        while end > start, bytes[end - 1].isFieldBlank { end -= 1 }
        guard !bytes.hasControl(in: start..<end) else {
            throw .badRequest("A header field contains a control character.")
        }
        self.init(name: line.lowerBound..<colon, value: start..<end)
    }
}
