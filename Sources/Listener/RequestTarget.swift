import Relay

/// A request target, RFC 9112 section 3.2, split: where its path and its query stand.
struct RequestTarget: Sendable {
    private(set) var path = 0..<0
    private(set) var query = 0..<0

    init() {}

    init(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Refusal) {
        guard let start = Self.pathStart(bytes, range) else { throw Self.malformed }
        var pathEnd = range.upperBound
        for index in start..<range.upperBound where !ByteClass.target.contains(bytes[index]) {
            switch bytes[index] {
            case UInt8(ascii: "?"): if pathEnd == range.upperBound { pathEnd = index }
            case UInt8(ascii: "\\"): guard pathEnd < range.upperBound else { throw Self.malformed }
            case UInt8(ascii: "%"): guard !bytes.has("%00", at: index) else { throw Self.malformed }
            // These are no URI either, nor are braces, but partners do send them in queries (names, unexpanded macros),
            // and they change no framing.
            case 0x80...: break
            default: throw Self.malformed
            }
        }
        path = start..<pathEnd
        query = Swift.min(pathEnd + 1, range.upperBound)..<range.upperBound
        guard !bytes.hasDotSegment(in: path) else { throw Self.malformed }
    }

    private static let malformed = Refusal.badRequest("The request target is malformed.")

    /// Origin form begins with the path. Absolute form must be taken from everyone (section 3.2.2); its authority
    /// only has to be one. The asterisk and authority forms belong to methods that are not served.
    private static func pathStart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        if bytes[range.lowerBound] == UInt8(ascii: "/") { return range.lowerBound }
        for scheme in ["http://", "https://"] as [StaticString] {
            let start = range.lowerBound + scheme.utf8CodeUnitCount
            guard start < range.upperBound, bytes.holds(scheme, in: range.lowerBound..<start) else { continue }
            guard let slash = (start..<range.upperBound).first(where: { bytes[$0] == UInt8(ascii: "/") }),
                bytes.isAuthority(in: start..<slash)
            else { return nil }
            return slash
        }
        return nil
    }
}

extension Span<UInt8> {
    /// `host[:port]` of RFC 3986 section 3.2, without user information and percent-encoding.
    func isAuthority(in range: Range<Int>) -> Bool {
        guard let first = range.first else { return false }
        var end = first
        if self[first] == UInt8(ascii: "[") {
            end += 1
            while end < range.upperBound, self[end].isAddressByte { end += 1 }
            guard end > first + 1, end < range.upperBound, self[end] == UInt8(ascii: "]") else { return false }
            end += 1
        } else {
            while end < range.upperBound, ByteClass.hostName.contains(self[end]) { end += 1 }
            guard end > first else { return false }
        }
        guard end < range.upperBound else { return true }
        let port = end + 1..<range.upperBound
        return self[end] == UInt8(ascii: ":") && port.count <= 5 && port.allSatisfy { self[$0].isDigit }
    }

    /// Whether a path has a segment `.` or `..`, also percent-encoded: it would name another resource to whoever
    /// resolves it.
    fileprivate func hasDotSegment(in path: Range<Int>) -> Bool {
        var index = path.lowerBound
        while index < path.upperBound {
            // At a slash.
            index += 1
            var dots = 0
            while index < path.upperBound {
                if self[index] == UInt8(ascii: ".") {
                    index += 1
                } else if index + 3 <= path.upperBound, holds("%2e", in: index..<index + 3) {
                    index += 3
                } else {
                    break
                }
                dots += 1
            }
            let endsHere = index == path.upperBound || self[index] == UInt8(ascii: "/")
            if endsHere, dots == 1 || dots == 2 { return true }
            while index < path.upperBound, self[index] != UInt8(ascii: "/") { index += 1 }
        }
        return false
    }
}

extension UInt8 {
    /// What may stand between the brackets of an IPv6 address.
    fileprivate var isAddressByte: Bool { hexDigit != nil || self == UInt8(ascii: ":") || self == UInt8(ascii: ".") }
}
