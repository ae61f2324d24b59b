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
        var (left, right) = (self, other)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return memcmp(left, right, other.utf8.count) == 0
            }
        }
    }
}
