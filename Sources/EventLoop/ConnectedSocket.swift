import Glibc

/// One accepted connection: the owner of its descriptor.
package struct ConnectedSocket: ~Copyable, Sendable {
    package let descriptor: Int32
    /// The other end's address as text.
    package let peer: String

    init(_ descriptor: Int32, peer: String) {
        self.descriptor = descriptor
        self.peer = peer
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(descriptor)
    }

    /// What a transfer came to.
    package enum Transfer {
        case bytes(Int)
        /// The kernel has nothing, or no room: wait for the descriptor.
        case wouldBlock
        /// The other end is done sending.
        case end
        case failed(SystemError)
    }

    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        return count == 0 ? .end : transfer(count, "recv")
    }

    /// Shows what has come and leaves it where it is: the next `receive` gets it again.
    package func peek(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_PEEK))
        return count == 0 ? .end : transfer(count, "recv MSG_PEEK")
    }

    package func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        transfer(Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)), "send")
    }

    /// Says that nothing more will be sent; the other end may still be read.
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Whether the other end is done sending, whatever of it has not been received; or is gone.
    package static func hasHungUp(_ descriptor: Int32) -> Bool {
        // POLLRDHUP of poll(2), which Glibc shows to _GNU_SOURCE alone.
        var entry = pollfd(fd: descriptor, events: 0x2000, revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    private func transfer(_ count: Int, _ call: String) -> Transfer {
        if count >= 0 { return .bytes(count) }
        return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed(SystemError(call))
    }

    static func name(of descriptor: Int32, _ storage: inout sockaddr_storage) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) } == 0
        }
    }
}

extension ConnectedSocket {
    /// Connects, waiting for as long as it takes; the caller closes the descriptor. For clients outside any loop.
    package static func connect(to address: SocketAddress) throws(SystemError) -> Int32 {
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
        guard address.withSocketAddress({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let error = SystemError("connect \(address)")
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
