import CEvent
import Glibc

/// A bound and listening TCP socket. Several may share one address (`SO_REUSEPORT`), one a loop; the kernel spreads
/// connections.
package final class ListeningSocket: Sendable {
    package let descriptor: Int32
    /// Where it listens; the port is the kernel's choice where 0 was asked for.
    package let address: SocketAddress

    /// Listens, also beside others of this user that listen there already.
    package init(_ address: SocketAddress, backlog: Int32 = 4096) throws(SystemError) {
        let descriptor = try Self.bound(to: address, with: [SO_REUSEADDR, SO_REUSEPORT])
        do throws(SystemError) {
            guard listen(descriptor, backlog) == 0 else { throw SystemError("listen \(address)") }
            var bound = sockaddr_storage()
            guard ConnectedSocket.name(of: descriptor, &bound), let local = SocketAddress(bound) else {
                throw SystemError("getsockname")
            }
            self.address = local
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Throws `EADDRINUSE` where somebody listens at an address: two nodes on one port, each with an outbox of its own,
    /// would be given half of the events each, and nobody would hear of it.
    package static func checkIsFree(_ address: SocketAddress) throws(SystemError) {
        close(try bound(to: address, with: [SO_REUSEADDR]))
    }

    private static func bound(to address: SocketAddress, with options: [Int32]) throws(SystemError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        do throws(SystemError) {
            var one: Int32 = 1
            for option in options {
                let size = socklen_t(MemoryLayout<Int32>.size)
                guard setsockopt(descriptor, SOL_SOCKET, option, &one, size) == 0 else {
                    throw SystemError("setsockopt \(option)")
                }
            }
            guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else {
                throw SystemError("bind \(address)")
            }
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// A further descriptor of a socket that somebody else opened and keeps.
    init(sharing other: Int32, at address: SocketAddress) throws(SystemError) {
        let descriptor = fcntl(other, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SystemError("fcntl F_DUPFD_CLOEXEC") }
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0 else {
            let error = SystemError("fcntl O_NONBLOCK")
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.address = address
    }

    /// Where a descriptor listens; nil for what is no listening TCP socket.
    static func address(of descriptor: Int32) -> SocketAddress? {
        var isListening: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        var bound = sockaddr_storage()
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening != 0,
            ConnectedSocket.name(of: descriptor, &bound)
        else { return nil }
        return SocketAddress(bound)
    }

    deinit {
        close(descriptor)
    }

    /// What an accept came to.
    package enum Accepted: ~Copyable {
        case connection(ConnectedSocket)
        /// Nobody waits.
        case none
        /// No descriptors, no memory or something else that does not pass at once: try again in a while.
        case exhausted(SystemError)
    }

    /// Whether anybody waits to be accepted.
    package var hasWaiting: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    package func accept() -> Accepted {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    accept4(descriptor, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                }
            }
            if accepted >= 0 {
                return .connection(ConnectedSocket(accepted, peer: SocketAddress(storage)?.host ?? "unknown"))
            }
            switch errno {
            case EAGAIN: return .none
            // A connection that died while it waited; accept(2) asks to go on to the next one.
            case ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH:
                continue
            default: return .exhausted(SystemError("accept4"))
            }
        }
    }
}
