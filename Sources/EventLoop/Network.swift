import Glibc

/// A block of addresses, `10.0.0.0/8` or `2001:db8::/32`; an address alone is a block of one.
package struct Network: Sendable, Equatable {
    private let bytes: [UInt8]
    private let prefix: Int

    /// Nil for what is no address, or for a prefix that is longer than one.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = Self.bytes(of: String(parts[0])) else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...prefix).contains(given), parts[1].utf8.allSatisfy({ $0 != 0x2b })
            else {
                return nil
            }
            prefix = given
        }
        self.bytes = bytes
        self.prefix = prefix
    }

    /// Whether an address, as text and without a port, is in the block. False for what is no address.
    package func contains(_ address: some StringProtocol) -> Bool {
        guard let other = Self.bytes(of: String(address)), other.count == bytes.count else { return false }
        let (whole, rest) = prefix.quotientAndRemainder(dividingBy: 8)
        guard bytes[..<whole] == other[..<whole] else { return false }
        return rest == 0 || bytes[whole] >> (8 - rest) == other[whole] >> (8 - rest)
    }

    /// In network order: 4 bytes, or 16. An IPv4 address mapped into IPv6 is IPv4.
    private static func bytes(of address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        guard inet_pton(AF_INET6, address, &six) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: six) { Array($0) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }
}
