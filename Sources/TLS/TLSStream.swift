import CTLS
package import EventLoop
import Glibc

/// One accepted connection under TLS: the owner of its socket and of an `SSL`. The handshake is part of reading.
///
/// Used on one loop, like the socket it owns. Never blocks: what cannot be done at once says what it waits for, which
/// is not always what was asked, since a handshake sends in order to read.
package final class TLSStream {
    /// What a transfer came to.
    package enum Transfer: Sendable {
        case bytes(Int)
        /// Try again when the socket can be read.
        case wantsRead
        /// Try again when the socket can be written.
        case wantsWrite
        /// The other end is done sending.
        case end
        /// The peer spoke HTTP without TLS, and nothing was answered so far.
        case plainHTTP
        /// An alert is out that says what was wrong; the peer should have time to read it.
        case alerted
        case failed
    }

    private enum State {
        case handshaking
        case established
        /// OpenSSL asks not to be called again after a fatal error.
        case broken
    }

    /// Whom a failed handshake is reported of.
    package var peer: String
    package let descriptor: Int32
    /// Bytes, or an end, were read from the socket and not yet handed out: it will not become readable for them.
    package private(set) var holdsBytes = false

    private var socket: ConnectedSocket?
    private let ssl: OpaquePointer
    private var state = State.handshaking
    private let failed: @Sendable (HandshakeFailure, _ peer: String) -> Void

    /// Kept for the process's life: every BIO points to it.
    private nonisolated(unsafe) static let method = ctls_socket_method()

    /// Nil without memory.
    init?(
        _ socket: consuming ConnectedSocket, _ context: TLSContext,
        failed: @escaping @Sendable (HandshakeFailure, _ peer: String) -> Void
    ) {
        guard let ssl = SSL_new(context.handle.pointer) else { return nil }
        guard let bio = BIO_new(Self.method) else {
            SSL_free(ssl)
            return nil
        }
        ctls_set_descriptor(bio, socket.descriptor)
        // The SSL frees it.
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
        self.ssl = ssl
        self.failed = failed
        peer = socket.peer
        descriptor = socket.descriptor
        self.socket = consume socket
    }

    deinit {
        if case .handshaking = state, isShakingHands { report(.deadline, "the handshake was not over in time") }
        sayGoodbye()
        // Before the socket closes, whose descriptor it knows.
        SSL_free(ssl)
    }

    /// The peer has begun a handshake that is not over.
    package var isShakingHands: Bool {
        guard case .handshaking = state else { return false }
        return BIO_number_read(SSL_get_rbio(ssl)) > 0
    }

    /// What the handshake came to. Asked only when it is over.
    package private(set) lazy var session = TLSSession(ssl)

    /// Fills the buffer as far as what has come goes.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        if case .broken = state { return .failed }
        holdsBytes = false
        var filled = 0
        while filled < buffer.count {
            var count = 0
            ERR_clear_error()
            let result = SSL_read_ex(ssl, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, &count)
            if case .handshaking = state, SSL_is_init_finished(ssl) == 1 { state = .established }
            guard result == 1 else {
                let outcome = outcome(of: result)
                guard filled > 0 else { return outcome }
                if case .wantsRead = outcome {} else { holdsBytes = true }
                return .bytes(filled)
            }
            filled += count
            guard SSL_has_pending(ssl) == 1 else { return .bytes(filled) }
        }
        holdsBytes = true
        return .bytes(filled)
    }

    /// Sends as much as the socket takes. What was not taken must be offered again, wherever it then stands.
    package func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        // Nothing is said before it is known to whom.
        guard case .established = state else { return .failed }
        var sent = 0
        while sent < bytes.count {
            var count = 0
            ERR_clear_error()
            // A record at a time: SSL_MODE_ENABLE_PARTIAL_WRITE.
            let result = SSL_write_ex(ssl, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, &count)
            guard result == 1 else {
                switch outcome(of: result) {
                case .wantsWrite: return sent > 0 ? .bytes(sent) : .wantsWrite
                // It would read in order to write only in a renegotiation, which is off, or within a message that the
                // peer split over records, which nobody does.
                default: return .failed
                }
            }
            sent += count
        }
        return .bytes(sent)
    }

    /// Says that nothing more will be sent; the other end may still be read, past TLS.
    package func finishSending() {
        sayGoodbye()
        socket?.finishSending()
    }

    /// Reads and ignores, without undoing any encryption.
    package func discard(into buffer: UnsafeMutableRawBufferPointer) -> ConnectedSocket.Transfer {
        socket?.receive(into: buffer) ?? .end
    }

    /// For what comes before the handshake.
    package func withSocket<Result>(_ body: (borrowing ConnectedSocket) -> Result) -> Result? {
        switch socket {
        case .some(let socket): body(socket)
        case .none: nil
        }
    }

    /// Ends TLS without a word, for a peer that does not speak it.
    package func takeSocket() -> ConnectedSocket? {
        state = .broken
        return socket.take()
    }

    // MARK: Outcomes

    /// What a call that did not do all came to. `errno` and OpenSSL's queue must be as it left them.
    private func outcome(of result: Int32) -> Transfer {
        let number = errno
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case SSL_ERROR_ZERO_RETURN:
            guard case .handshaking = state else { return .end }
            if isShakingHands { report(.closed, "the peer closed") }
            state = .broken
            return .end
        case SSL_ERROR_SSL:
            let failure = HandshakeFailure(OpenSSLError())
            if case .handshaking = state { failed(failure, peer) }
            state = .broken
            return failure.reason == .plainHTTP ? .plainHTTP : .alerted
        default:
            if isShakingHands { report(.closed, SystemError("recv", code: number).description) }
            state = .broken
            return .failed
        }
    }

    private func report(_ reason: HandshakeFailure.Reason, _ detail: String) {
        failed(HandshakeFailure(reason: reason, detail: detail), peer)
    }

    /// RFC 8446 section 6.1: close_notify before the end. Tried once: a peer that takes nothing more has no use for it.
    private func sayGoodbye() {
        guard case .established = state, SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
    }
}
