import Glibc

/// What protocols mean by letters, digits and blanks: ASCII, whatever the locale. Inlinable, for they are asked of
/// every byte that comes in, by other modules.
extension UInt8 {
    package static let hexDigits = Array("0123456789abcdef".utf8)

    @inlinable package var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    @inlinable package var isLetterOrDigit: Bool { isDigit || (lowercased >= 0x61 && lowercased <= 0x7a) }

    /// C0 controls and DEL. HTAB is one.
    @inlinable package var isControl: Bool { self < 0x20 || self == 0x7f }

    @inlinable package var lowercased: UInt8 { self >= 0x41 && self <= 0x5a ? self | 0x20 : self }

    @inlinable package var hexDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }

    /// Space, HTAB, CR or LF.
    @inlinable package var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
}

extension UnsafeBufferPointer<UInt8> {
    package var holdsNonASCII: Bool {
        holdsAny(marks: { $0 }, byByte: { $0 >= 0x80 })
    }

    /// Whether any byte is below a bound of at most 0x80, or is one of two. As in "Bit Twiddling Hacks", Sean Eron
    /// Anderson: what is asked of every id and of every text of a log line.
    package func holdsAny(below bound: UInt8, or first: UInt8, _ second: UInt8) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (bounds, firsts, seconds) = (ones &* UInt64(bound), ones &* UInt64(first), ones &* UInt64(second))
        return holdsAny { word in
            let (isFirst, isSecond) = (word ^ firsts, word ^ seconds)
            // A borrow out of a byte that is found may mark the one above it as well. It never hides one.
            return ((word &- bounds) & ~word) | ((isFirst &- ones) & ~isFirst) | ((isSecond &- ones) & ~isSecond)
        } byByte: {
            $0 < bound || $0 == first || $0 == second
        }
    }

    /// Looks through eight bytes at a time; the last eight overlap the ones before.
    /// - Parameter marks: sets the highest bit of some byte exactly where one of the eight is looked for.
    @inline(__always)
    private func holdsAny(marks: (UInt64) -> UInt64, byByte: (UInt8) -> Bool) -> Bool {
        guard count >= 8 else { return contains(where: byByte) }
        let bytes = UnsafeRawBufferPointer(self)
        var found = marks(bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
        var place = 0
        while place < count - 8 {
            found |= marks(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place += 8
        }
        return found & 0x8080_8080_8080_8080 != 0
    }
}

extension StringProtocol {
    /// Without the ASCII blanks around it.
    package var trimmingBlanks: Substring {
        var rest = Substring(self).utf8
        while let first = rest.first, first.isBlank { rest.removeFirst() }
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return Substring(rest)
    }
}

extension String {
    /// Whether both are the same bytes. `==` also equates what Unicode calls equivalent (`é` and `e` with an accent);
    /// to whoever gave out an id those are two.
    package func isSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return withBytes { left in
            other.withBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return memcmp(left, right, other.utf8.count) == 0
            }
        }
    }
}
