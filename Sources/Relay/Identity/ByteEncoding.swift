/// How bytes are written as text. Read strictly: no blanks, no stray bits.
package enum ByteEncoding: String, Sendable, CaseIterable {
    /// RFC 4648 section 8; letters in either case.
    case hex
    /// RFC 4648 section 4: padded. One value has one spelling.
    case base64
    /// RFC 4648 section 5, with its padding or without.
    case base64url

    package func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        switch self {
        case .hex:
            return Self.hex(text)
        case .base64:
            guard text.count.isMultiple(of: 4) else { return nil }
            return Self.base64(text.withoutPadding, last: "+/")
        case .base64url:
            let digits = text.withoutPadding
            guard digits.count == text.count || text.count.isMultiple(of: 4) else { return nil }
            return Self.base64(digits, last: "-_")
        }
    }

    private static func hex(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for byte in text {
            guard let digit = byte.hexDigit else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    /// - Parameter last: the digits for 62 and 63.
    private static func base64(_ text: some Collection<UInt8>, last: StaticString) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for byte in text {
            guard let digit = byte.base64Digit(last) else { return nil }
            bits = bits << 6 | digit
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> held))
                bits &= (1 << held) - 1
            }
        }
        // Six bits are a digit too many or too few.
        return bits == 0 && held < 6 ? bytes : nil
    }
}

extension Sequence<UInt8> {
    /// In lower case.
    package var hexText: String {
        String(decoding: flatMap { [UInt8.hexDigits[Int($0 >> 4)], UInt8.hexDigits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension Collection<UInt8> {
    fileprivate var withoutPadding: SubSequence {
        dropLast(suffix(2).count { $0 == UInt8(ascii: "=") })
    }
}

extension UInt8 {
    fileprivate func base64Digit(_ last: StaticString) -> UInt32? {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(self - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(self - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0")) + 52
        case last.utf8Start[0]: 62
        case last.utf8Start[1]: 63
        default: nil
        }
    }
}
