/// 128 bits written as a UUID. Kept as two words: a million of them fit where a million strings would not.
package struct UniqueID: Sendable, Hashable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads `8-4-4-4-12` hexadecimal digits in either case; nil for anything else.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let id = text.withUTF8({ UniqueID(utf8: $0) }) else { return nil }
        self = id
    }

    /// The same, of bytes: every event of a vendor asks.
    package init?(utf8 text: UnsafeBufferPointer<UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        var position = 0
        for byte in text {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = byte.hexDigit, digits < 32 else { return nil }
                if digits < 16 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
                digits += 1
            }
            position += 1
        }
        guard position == 36 else { return nil }
        self.init(high: high, low: low)
    }

    /// A version 7 UUID: sorted by time, and unguessable beyond it. RFC 9562 section 5.7.
    package static func v7(at time: Timestamp, using generator: inout some RandomNumberGenerator) -> UniqueID {
        let milliseconds = UInt64(clamping: time.milliseconds) & 0xffff_ffff_ffff
        let random = generator.next()
        return UniqueID(
            high: milliseconds << 16 | 0x7000 | (random & 0x0fff),
            low: 0x8000_0000_0000_0000 | (generator.next() & 0x3fff_ffff_ffff_ffff))
    }

    package static func v7(at time: Timestamp) -> UniqueID {
        var generator = SystemRandomNumberGenerator()
        return v7(at: time, using: &generator)
    }

    package static func < (left: UniqueID, right: UniqueID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension UniqueID: CustomStringConvertible {
    /// 36 characters, lower case.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { write(to: $0) }
    }

    /// The same, at the end of what is there.
    func write(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { buffer in
            _ = write(to: buffer)
            bytes += buffer
        }
    }

    private func write(to buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var position = 0
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                buffer[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = nibble < 16 ? high : low
            let digit = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(nibble & 15))) & 15
            buffer[position] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            position += 1
        }
        return position
    }
}
