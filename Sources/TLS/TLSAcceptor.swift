package import EventLoop
import Synchronization

/// What makes TLS of accepted connections: the context that new ones get, and who is told of those that fail.
package final class TLSAcceptor: Sendable {
    private let current: Mutex<TLSContext>
    private let failed: @Sendable (HandshakeFailure, _ peer: String) -> Void

    /// - Parameter failed: is told on the connection's loop.
    package init(
        _ context: TLSContext, failed: @escaping @Sendable (HandshakeFailure, _ peer: String) -> Void = { _, _ in }
    ) {
        self.failed = failed
        current = Mutex(context)
    }

    package var context: TLSContext { current.withLock { $0 } }

    /// New connections get another context from now on: the very one that was found good, since files read a second
    /// time may hold something else by then. Connections that are open are not touched.
    package func adopt(_ context: TLSContext) {
        current.withLock { $0 = context }
    }

    /// Nothing is read or sent before the stream is first asked to.
    package func accept(_ socket: consuming ConnectedSocket) -> TLSStream? {
        TLSStream(socket, context, failed: failed)
    }
}
