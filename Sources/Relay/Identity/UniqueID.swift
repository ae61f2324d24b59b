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
        self.init(String(text))
    }

    package init?(_ text: String) {
        guard text.utf8.count == Self.textBytes, let id = text.withBytes({ UniqueID(utf8: $0) }) else { return nil }
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
    @inlinable
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
    /// How long its text is.
    static let textBytes = 36

    /// 36 characters, lower case.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textBytes) { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            write(to: UnsafeMutableRawPointer(start))
            return Self.textBytes
        }
    }

    /// The same where there is room for it.
    func write(to place: UnsafeMutableRawPointer) {
        let parts = (Self.digits(high >> 32), Self.digits(high), Self.digits(low >> 32), Self.digits(low))
        func put(_ digits: UInt64, _ offset: Int) {
            place.storeBytes(of: digits, toByteOffset: offset, as: UInt64.self)
        }
        func put(_ digits: UInt32, _ offset: Int) {
            place.storeBytes(of: digits, toByteOffset: offset, as: UInt32.self)
        }
        put(parts.0, 0)
        put(UInt32(truncatingIfNeeded: parts.1), 9)
        put(UInt32(truncatingIfNeeded: parts.1 >> 32), 14)
        put(UInt32(truncatingIfNeeded: parts.2), 19)
        put(UInt32(truncatingIfNeeded: parts.2 >> 32), 24)
        put(parts.3, 28)
        let dash = UInt8(ascii: "-")
        place.storeBytes(of: dash, toByteOffset: 8, as: UInt8.self)
        place.storeBytes(of: dash, toByteOffset: 13, as: UInt8.self)
        place.storeBytes(of: dash, toByteOffset: 18, as: UInt8.self)
        place.storeBytes(of: dash, toByteOffset: 23, as: UInt8.self)
    }

    /// The low 32 bits as eight digits, the first in the lowest byte. All at once: each nibble gets a byte of its own,
    /// and those above 9 move on to the letters. A loop over 32 digits was a fortieth of what an event cost.
    private static func digits(_ word: UInt64) -> UInt64 {
        var spread = word & 0xffff_ffff
        spread = (spread << 16 | spread) & 0x0000_ffff_0000_ffff
        spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff
        spread = (spread << 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 39).byteSwapped
    }
}
