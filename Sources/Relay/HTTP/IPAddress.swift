import Glibc

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 is IPv4.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// As in IPv6; an IPv4 address as `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2).
    let high: UInt64
    let low: UInt64

    /// Nil for what is no numeric address: a name, a port or a prefix behind it, a zone.
    package init?(_ text: some StringProtocol) {
        // C would stop at a NUL, and believe what stands before it.
        guard !text.utf8.contains(0) else { return nil }
        let text = String(text)
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = withUnsafeBytes(of: four) { IPAddress(ipv4: $0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = withUnsafeBytes(of: six) { IPAddress(ipv6: $0) }
    }

    /// - Parameter bytes: 4 of them, in network order.
    package init(ipv4 bytes: some Sequence<UInt8>) {
        high = 0
        low = bytes.reduce(0xffff) { $0 << 8 | UInt64($1) }
    }

    /// - Parameter bytes: 16 of them, in network order.
    package init(ipv6 bytes: some Collection<UInt8>) {
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// What one subscriber has, as a number: the IPv4 address, or the first 64 bits of the IPv6 address (RFC 6177: a
    /// site gets at least a /64). The two never meet: `0:ffff::/32` is given to nobody.
    package var subscriber: UInt64 { isIPv4 ? low : high }

    /// The canonical text, RFC 5952.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if isIPv4 {
            var address = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
            inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var address = (high.bigEndian, low.bigEndian)
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
