import EventLoop
import TLS

/// A connection's bytes, as they are or under TLS.
enum Stream: ~Copyable {
    case plain(ConnectedSocket)
    case tls(TLSStream)

    /// What a transfer came to.
    enum Transfer {
        case bytes(Int)
        /// Nothing now: wait for the descriptor, which under TLS may have to be written before it is read.
        case wouldBlock(SocketWatch.Interest)
        /// The other end is done sending.
        case end
        /// Without TLS, where TLS is spoken.
        case plainHTTP
        /// The last word is out: linger.
        case alerted
        case failed
    }

    /// - Parameter acceptor: nil for a connection without TLS.
    init?(_ socket: consuming ConnectedSocket, _ acceptor: TLSAcceptor?) {
        guard let acceptor else {
            self = .plain(socket)
            return
        }
        guard let stream = acceptor.accept(socket) else { return nil }
        self = .tls(stream)
    }

    var descriptor: Int32 {
        switch self {
        case .plain(let socket): socket.descriptor
        case .tls(let stream): stream.descriptor
        }
    }

    /// Bytes wait that the descriptor will not become readable for.
    var holdsBytes: Bool {
        switch self {
        case .plain: false
        case .tls(let stream): stream.holdsBytes
        }
    }

    /// The peer is on its way to its first request, though none of it has come.
    var isShakingHands: Bool {
        switch self {
        case .plain: false
        case .tls(let stream): stream.isShakingHands
        }
    }

    /// The peer is done sending, or gone, whatever of it has not been received.
    var hasHungUp: Bool { ConnectedSocket.hasHungUp(descriptor) }

    /// Nil without TLS. Asked only for a connection that a request has come over.
    var session: TLSSession? {
        switch self {
        case .plain: nil
        case .tls(let stream): stream.session
        }
    }

    /// Reads a PROXY header, which stands before TLS too.
    func read(
        _ introduction: inout ProxyIntroduction, _ buffer: UnsafeMutableRawBufferPointer
    ) -> ProxyIntroduction.Step? {
        switch self {
        case .plain(let socket): socket.read(&introduction, buffer)
        case .tls(let stream): stream.withSocket { $0.read(&introduction, buffer) }
        }
    }

    /// Whom a PROXY header named.
    func isFrom(_ peer: String) {
        switch self {
        case .plain: break
        case .tls(let stream): stream.peer = peer
        }
    }

    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        switch self {
        case .plain(let socket): Transfer(socket.receive(into: buffer), waitsFor: .read)
        case .tls(let stream): Transfer(stream.receive(into: buffer))
        }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        switch self {
        case .plain(let socket): Transfer(socket.send(bytes), waitsFor: .write)
        case .tls(let stream): Transfer(stream.send(bytes))
        }
    }

    /// Says that nothing more will be sent; the other end may still be sending.
    func finishSending() {
        switch self {
        case .plain(let socket): socket.finishSending()
        case .tls(let stream): stream.finishSending()
        }
    }

    /// Reads what nobody is going to look at.
    func discard(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        switch self {
        case .plain(let socket): Transfer(socket.receive(into: buffer), waitsFor: .read)
        case .tls(let stream): Transfer(stream.discard(into: buffer), waitsFor: .read)
        }
    }

    /// The same connection without TLS, for a peer that turned out not to speak it.
    consuming func withoutTLS() -> Stream? {
        switch consume self {
        case .plain(let socket):
            return .plain(socket)
        case .tls(let stream):
            guard let socket = stream.takeSocket() else { return nil }
            return .plain(socket)
        }
    }
}

extension Stream.Transfer {
    fileprivate init(_ transfer: ConnectedSocket.Transfer, waitsFor interest: SocketWatch.Interest) {
        self =
            switch transfer {
            case .bytes(let count): .bytes(count)
            case .wouldBlock: .wouldBlock(interest)
            case .end: .end
            case .failed: .failed
            }
    }

    fileprivate init(_ transfer: TLSStream.Transfer) {
        self =
            switch transfer {
            case .bytes(let count): .bytes(count)
            case .wantsRead: .wouldBlock(.read)
            case .wantsWrite: .wouldBlock(.write)
            case .end: .end
            case .plainHTTP: .plainHTTP
            case .alerted: .alerted
            case .failed: .failed
            }
    }
}
