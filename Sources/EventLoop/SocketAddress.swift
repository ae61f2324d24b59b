// Both include <sys/socket.h>; which of them the compiler takes for the owner of its types differs between builds.
import CEvent
import Glibc

/// A numeric address and port: `127.0.0.1:8080`, `[::1]:8080`. `localhost` is the loopback; other names are not looked
/// up.
package struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// The address as text, without brackets.
    package let host: String
    package let port: UInt16
    private let isIPv6: Bool

    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host == "localhost" { host = "127.0.0.1" }
        // The kernel's name for a mapped IPv4 address is the IPv4 one; a socket is asked for under that.
        if host.lowercased().hasPrefix("[::ffff:") { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.init(host: String(host.dropFirst().dropLast()), port: port)
            guard isIPv6 else { return nil }
        } else {
            self.init(host: host, port: port)
            guard !isIPv6 else { return nil }
        }
    }

    package init?(host: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            isIPv6 = false
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            isIPv6 = true
        } else {
            return nil
        }
        self.host = host
        self.port = port
    }

    /// Reads what the kernel wrote. An IPv4 address mapped into IPv6 is shown as IPv4. Nil for other families.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch Int32(storage.ss_family) {
        case AF_INET:
            port = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    var address = $0.pointee.sin_addr
                    inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
                    return UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
            isIPv6 = false
        case AF_INET6:
            port = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    var address = $0.pointee.sin6_addr
                    inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
                    return UInt16(bigEndian: $0.pointee.sin6_port)
                }
            }
            isIPv6 = true
        default:
            return nil
        }
        let written = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        host = written.hasPrefix("::ffff:") && written.contains(".") ? String(written.dropFirst(7)) : written
    }

    package var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" }

    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Calls with the address as C wants it.
    func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }
}
