import Glibc

/// The listening sockets that a service manager opened before it started this process, and keeps open when it ends:
/// whoever connects in between waits, and is not refused. systemd passes them as descriptors from 3 on, how many in
/// `LISTEN_FDS`, for whom in `LISTEN_PID`. Source: sd_listen_fds(3).
package struct ActivatedSockets: Sendable {
    private let sockets: [(address: SocketAddress, descriptor: Int32)]

    /// Those of this process; none where it was started by hand.
    package static let process = ActivatedSockets(
        passed(count: environment("LISTEN_FDS"), to: environment("LISTEN_PID")))

    /// The descriptors that the environment speaks of; none where they are meant for another process.
    static func passed(count: String?, to pid: String?) -> Range<Int32> {
        guard let count = count.flatMap({ Int32($0) }), (1...64).contains(count), pid == String(getpid()) else {
            return 3..<3
        }
        return 3..<(3 + count)
    }

    init(_ descriptors: some Sequence<Int32>) {
        sockets = descriptors.compactMap { descriptor in
            // What we start has no use for them.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            return ListeningSocket.address(of: descriptor).map { ($0, descriptor) }
        }
    }

    /// Where they listen.
    package var addresses: [SocketAddress] { sockets.map(\.address) }

    /// A socket of ours on one that was passed; nil where none listens at this address. It may be asked for once a
    /// loop: all of them accept from one queue.
    package func socket(at address: SocketAddress) throws(SystemError) -> ListeningSocket? {
        guard let passed = sockets.first(where: { $0.address == address }) else { return nil }
        return try ListeningSocket(sharing: passed.descriptor, at: address)
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
