import EventLoop
import Listener
import Relay
import TLS

/// A responder on an address: one listener a loop, the kernel spreads the connections.
struct HTTPServer: Sendable {
    private let listeners: [Listener]
    /// Where it listens; the port is the kernel's choice where 0 was asked for.
    let address: SocketAddress

    /// - Parameters:
    ///   - opened: a socket at that address that listens already; those of a service manager are found.
    ///   - joins: another process may listen at that address; without that it is an error.
    init(
        _ wanted: SocketAddress, opened: ListeningSocket? = nil, joins: Bool = false, on loops: [EventLoop],
        responder: any Responder, observer: any RequestObserver,
        limits: ListenerLimits = ListenerLimits(), budget: ListenerBudget = ListenerBudget(),
        tls: TLSAcceptor? = nil, acceptFailed: @escaping @Sendable (SystemError) -> Void = { _ in }
    ) throws(SystemError) {
        var address = wanted
        var listeners: [Listener] = []
        for (number, loop) in loops.enumerated() {
            let passed = try ActivatedSockets.process.socket(at: address)
            let given = passed ?? (number == 0 ? opened : nil)
            if given == nil, number == 0, !joins { try ListeningSocket.checkIsFree(address) }
            let socket = if let given { given } else { try ListeningSocket(address) }
            // The first one settles the port for the others.
            address = socket.address
            listeners.append(
                Listener(
                    loop: loop, socket: socket, responder: responder, observer: observer, limits: limits,
                    budget: budget, tls: tls, acceptFailed: acceptFailed))
        }
        self.listeners = listeners
        self.address = address
    }

    func start() {
        for listener in listeners { listener.start() }
    }

    /// Other limits from now on.
    func limit(_ limits: ListenerLimits) {
        for listener in listeners { listener.limit(limits) }
    }

    /// Stops accepting, lets what was asked have its answer, and returns when all connections are gone.
    func drain(timeout: Duration) async {
        await withTaskGroup { group in
            for listener in listeners { group.addTask { await listener.drain(timeout: timeout) } }
        }
    }
}

/// Takes no notes.
struct SilentObserver: RequestObserver {
    func answered(_ exchange: Exchange) {}
}
