package import EventLoop
import Synchronization

/// What makes TLS of accepted connections: the context that new ones get, and who is told of those that fail.
package final class TLSAcceptor: Sendable {
    private let settings: TLSSettings
    private let current: Mutex<TLSContext>
    private let failed: @Sendable (HandshakeFailure, _ peer: String) -> Void

    /// - Parameter failed: is told on the connection's loop.
    package init(
        _ settings: TLSSettings, failed: @escaping @Sendable (HandshakeFailure, _ peer: String) -> Void = { _, _ in }
    ) throws(TLSMistake) {
        self.settings = settings
        self.failed = failed
        current = Mutex(try TLSContext(settings))
    }

    package var context: TLSContext { current.withLock { $0 } }

    /// Reads the files again. All or nothing: where something is wrong with them, the last good ones stay in use.
    /// Connections that are open are not touched.
    package func reload() throws(TLSMistake) -> TLSContext {
        let context = try TLSContext(settings)
        current.withLock { $0 = context }
        return context
    }

    /// Nothing is read or sent before the stream is first asked to.
    package func accept(_ socket: consuming ConnectedSocket) -> TLSStream? {
        TLSStream(socket, context, failed: failed)
    }
}
