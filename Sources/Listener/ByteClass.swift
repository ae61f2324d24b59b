/// A set of ASCII bytes, one bit each: whether a byte is in it is a shift, for every byte of every head.
struct ByteClass {
    private let low: UInt64
    private let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }

    // Written out and computed, not stored: a stored static is initialized behind a check on every access.

    /// `tchar` of RFC 9110 section 5.6.2: letters, digits and !#$%&'*+-.^_`|~
    static var token: ByteClass { ByteClass(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) }

    /// What a request target is mostly made of: visible characters without #, %, ? and the backslash.
    static var target: ByteClass { ByteClass(low: 0x7fff_ffd6_0000_0000, high: 0x7fff_ffff_efff_ffff) }

    /// `unreserved` and `sub-delims` of RFC 3986 section 2: letters, digits and -._~!$&'()*+,;=
    static var hostName: ByteClass { ByteClass(low: 0x2bff_7fd2_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
}

extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0a }
    static var carriageReturn: UInt8 { 0x0d }
    static var space: UInt8 { 0x20 }

    /// SP or HTAB: what may stand around a value. CR and LF may not.
    var isFieldBlank: Bool { self == .space || self == .tab }
}

extension Span<UInt8> {
    /// Whether a text stands somewhere, letter by letter.
    func has(_ text: StaticString, at index: Int) -> Bool {
        guard index >= 0, count - index >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for offset in 0..<text.count where self[index + offset] != text[offset] { return false }
            return true
        }
    }

    /// Whether a range holds a word, in either case.
    /// - Parameter word: in lower case.
    func holds(_ word: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for offset in 0..<word.count {
                let byte = self[range.lowerBound + offset]
                // Not Relay's `lowercased`: a call into another module for every byte is felt here.
                guard (byte &- 0x41 < 26 ? byte | 0x20 : byte) == word[offset] else { return false }
            }
            return true
        }
    }

    /// Whether a range holds a control character other than HTAB.
    func hasControl(in range: Range<Int>) -> Bool {
        extracting(range).withUnsafeBufferPointer { bytes in
            // Counted to the end instead of stopping at the first: the compiler then takes many bytes at a time.
            var controls = 0
            for byte in bytes { controls &+= (byte < .space && byte != .tab) || byte == 0x7f ? 1 : 0 }
            return controls > 0
        }
    }
}
