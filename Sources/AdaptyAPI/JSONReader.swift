import Relay

/// Reads the few hundred bytes of an error answer, member by member; makes nothing that is not asked for. Whatever the
/// bytes are, it ends with what was asked for or with `Malformed`.
///
/// Payloads are simdjson's work, elsewhere. This one reads only what an upstream says when it refuses, after RFC 8259;
/// it is lenient with the inside of numbers, which nobody here asks for.
struct JSONReader {
    struct Malformed: Error {}

    enum Kind {
        case object, array, string, other
    }

    /// Deeper is malformed: reading recurses.
    static let mostDepth = 16

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// What the next value is, by its first byte.
    var next: Kind {
        var copy = self
        switch copy.peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        default: return .other
        }
    }

    /// - Parameter member: reads or skips the value behind each key.
    mutating func object(_ member: (inout JSONReader, String) throws(Malformed) -> Void) throws(Malformed) {
        try members(from: "{", to: "}") { (reader) throws(Malformed) in
            let key = try reader.string()
            try reader.expect(":")
            try member(&reader, key)
        }
    }

    /// - Parameter element: reads or skips each.
    mutating func array(_ element: (inout JSONReader) throws(Malformed) -> Void) throws(Malformed) {
        try members(from: "[", to: "]", element)
    }

    /// The string; nil for any other value, which is skipped.
    mutating func stringOrSkip() throws(Malformed) -> String? {
        if next == .string { return try string() }
        try skip()
        return nil
    }

    mutating func skip() throws(Malformed) {
        switch next {
        case .object: try object { (reader, _) throws(Malformed) in try reader.skip() }
        case .array: try array { (reader) throws(Malformed) in try reader.skip() }
        case .string: _ = try string()
        case .other: _ = try word()
        }
    }

    /// Nothing but blanks is left.
    mutating func end() throws(Malformed) {
        guard peek() == nil else { throw Malformed() }
    }

    // MARK: Bytes

    /// The next byte that is no blank, not taken.
    private mutating func peek() -> UInt8? {
        while position < bytes.count, bytes[position].isBlank { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Malformed) {
        guard peek() == UInt8(ascii: character) else { throw Malformed() }
        position += 1
    }

    private mutating func members(
        from opening: Unicode.Scalar, to closing: Unicode.Scalar, _ member: (inout JSONReader) throws(Malformed) -> Void
    ) throws(Malformed) {
        try expect(opening)
        depth += 1
        guard depth <= Self.mostDepth else { throw Malformed() }
        if peek() == UInt8(ascii: closing) {
            position += 1
        } else {
            while true {
                try member(&self)
                if peek() == UInt8(ascii: closing) { break }
                try expect(",")
            }
            position += 1
        }
        depth -= 1
    }

    /// A number, `true`, `false` or `null`.
    /// A number, `true`, `false`, `null`, or what looks like one of them.
    mutating func word() throws(Malformed) -> String {
        guard let first = peek(), first.isLetterOrDigit || first == UInt8(ascii: "-") else { throw Malformed() }
        let start = position
        while position < bytes.count, bytes[position].isLetterOrDigit || "+-.".utf8.contains(bytes[position]) {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws(Malformed) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw Malformed()
            default: text.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escape(into text: inout [UInt8]) throws(Malformed) {
        guard position < bytes.count else { throw Malformed() }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(try escapedScalar()).utf8)
        default: throw Malformed()
        }
    }

    /// What stands behind `\u`; with a second one where that makes a surrogate pair. A lone surrogate is U+FFFD.
    private mutating func escapedScalar() throws(Malformed) -> Character {
        let high = try fourDigits()
        if let scalar = Unicode.Scalar(high) { return Character(scalar) }
        guard (0xd800..<0xdc00).contains(high), bytes[position...].starts(with: "\\u".utf8) else { return "\u{fffd}" }
        let afterHigh = position
        position += 2
        let low = try fourDigits()
        guard (0xdc00..<0xe000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
        else {
            position = afterHigh
            return "\u{fffd}"
        }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(Malformed) -> UInt32 {
        guard position + 4 <= bytes.count else { throw Malformed() }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = bytes[position].hexDigit else { throw Malformed() }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
