import Relay

extension PeerAddress {
    /// What one subscriber has, in numbers: an IPv4 address, or the first 64 bits of an IPv6 address (RFC 6177: a site
    /// gets at least a /64, so that its low half is free to choose and says nothing). Text that is neither counts as
    /// itself.
    var network: Network {
        guard let address, !address.isIPv4 else { return .other(description) }
        return .ipv6(address.subscriber)
    }

    enum Network: Hashable {
        case ipv6(UInt64)
        case other(String)
    }
}
