import Relay

extension PeerAddress {
    /// What one subscriber has, in numbers: an IPv4 address, or the first 64 bits of an IPv6 address (RFC 6177: a site
    /// gets at least a /64, so that its low half is free to choose and says nothing). Text that is neither counts as
    /// itself.
    var network: Network {
        if let prefix = Self.prefix(of: description.utf8) { return .ipv6(prefix) }
        return .other(description)
    }

    enum Network: Hashable {
        case ipv6(UInt64)
        case other(String)
    }

    /// The first four groups of an IPv6 address; nil for other text.
    private static func prefix(of text: String.UTF8View) -> UInt64? {
        guard text.contains(UInt8(ascii: ":")) else { return nil }
        let groups = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        // Of `a::b` the middle part is empty; `::b` and `a::` have a second empty part at their end.
        let head = Array(groups.prefix { !$0.isEmpty })
        let tail = Array(groups.dropFirst(head.count).drop { $0.isEmpty })
        let isShortened = head.count < groups.count
        guard isShortened ? head.count + tail.count < 8 : groups.count == 8 else { return nil }
        let zeros = isShortened ? 8 - head.count - tail.count : 0
        var prefix: UInt64 = 0
        for place in 0..<4 {
            var group: UInt64 = 0
            if place < head.count || place >= head.count + zeros {
                let digits = place < head.count ? head[place] : tail[place - head.count - zeros]
                guard digits.count <= 4 else { return nil }
                for digit in digits {
                    guard let value = digit.hexDigit else { return nil }
                    group = group << 4 | UInt64(value)
                }
            }
            prefix = prefix << 16 | group
        }
        return prefix
    }
}
