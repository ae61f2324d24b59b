/// A block of addresses, `10.0.0.0/8` or `2001:db8::/32`; an address alone is a block of one.
package struct Network: Sendable, Equatable {
    private let address: IPAddress
    /// Which bits of an address, as IPv6, are the block's.
    private let high: UInt64
    private let low: UInt64
    /// As it was written, with its prefix length.
    package let description: String

    /// Nil for what is no address, or for a prefix that is longer than one.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let most = address.isIPv4 ? 32 : 128
        var prefix = most
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...most).contains(given), parts[1].utf8.allSatisfy(\.isDigit) else {
                return nil
            }
            prefix = given
        }
        self.address = address
        description = "\(parts[0])/\(prefix)"
        // The first 96 bits of an IPv4 address say that it is one.
        let bits = address.isIPv4 ? prefix + 96 : prefix
        high = ~(bits < 64 ? UInt64.max >> UInt64(bits) : 0)
        low = ~(bits > 64 ? UInt64.max >> UInt64(bits - 64) : .max)
    }

    package func contains(_ other: IPAddress) -> Bool {
        (other.high ^ address.high) & high == 0 && (other.low ^ address.low) & low == 0
            && other.isIPv4 == address.isIPv4
    }

    /// Whether an address, as text and without a port, is in the block. False for what is no address.
    package func contains(_ address: some StringProtocol) -> Bool {
        IPAddress(address).map { contains($0) } ?? false
    }
}

extension Network: CustomStringConvertible {}
