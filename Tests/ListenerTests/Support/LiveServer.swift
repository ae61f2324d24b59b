import EventLoop
import Glibc
import Listener
import Relay
import Synchronization
import TLS
import TestCertificates
import Testing

/// A listener on a loop of its own and a free port of the loopback.
struct LiveServer {
    let loop: EventLoop
    let listener: Listener
    let budget: ListenerBudget
    let log: ExchangeLog

    /// How clients speak to it; nil for plainly.
    var tls: TLSClient.Settings?

    var address: SocketAddress { listener.address }

    func client() throws -> Client { try Client(address, tls: tls) }

    /// The same rules with and without TLS.
    static func run(
        over transport: Transport, _ responder: any Responder = CorpusServer(), limits: ListenerLimits = .patient,
        _ body: (LiveServer) async throws -> Void
    ) async throws {
        guard transport == .tls else { return try await run(responder, limits: limits, body) }
        let files = try TestCertificates()
        let pair = try files.make("server")
        let acceptor = TLSAcceptor(try TLSContext(TLSSettings(certificate: pair.certificate, key: pair.key)))
        try await run(responder, limits: limits, tls: acceptor) { server in
            var server = server
            server.tls = TLSClient.Settings()
            try await body(server)
        }
    }

    static func run(
        _ responder: any Responder = CorpusServer(), limits: ListenerLimits = .patient,
        budget: ListenerBudget = ListenerBudget(), tls: TLSAcceptor? = nil, _ body: (LiveServer) async throws -> Void
    ) async throws {
        let any = SocketAddress(host: "127.0.0.1", port: 0)
        let log = ExchangeLog()
        let loop = try EventLoop(name: "test")
        try loop.start()
        defer { loop.stop() }
        let listener = try Listener(
            loop: loop, socket: ListeningSocket(#require(any)), responder: responder, observer: log, limits: limits,
            budget: budget, tls: tls)
        listener.start()
        let server = LiveServer(loop: loop, listener: listener, budget: budget, log: log)
        do {
            try await body(server)
        } catch {
            await listener.drain(timeout: .zero)
            throw error
        }
        await listener.drain(timeout: .zero)
        #expect(budget.openConnections == 0)
        #expect(budget.bytesInFlight == 0)
    }
}

/// What requests come over.
enum Transport: CaseIterable {
    case plain, tls
}

/// All tests over sockets, one after the other: their clients block, and would keep each other from the pool's few
/// threads.
@Suite("Over sockets", .serialized, .timeLimit(.minutes(2)))
enum Live {}

extension ListenerLimits {
    /// The rules as they are, looked at more often.
    static var patient: ListenerLimits {
        var limits = ListenerLimits()
        limits.lingerDeadline = .milliseconds(300)
        limits.sweepInterval = .milliseconds(20)
        return limits
    }

    /// The same rules with deadlines that a test can wait for. The idle one is the longest, as ever.
    static var quick: ListenerLimits {
        var limits = ListenerLimits()
        limits.headDeadline = .milliseconds(300)
        limits.bodyDeadline = .milliseconds(600)
        limits.idleDeadline = .milliseconds(1500)
        limits.writeDeadline = .milliseconds(600)
        limits.lingerDeadline = .milliseconds(300)
        limits.sweepInterval = .milliseconds(20)
        return limits
    }
}

/// Keeps what a listener says of its requests.
final class ExchangeLog: RequestObserver {
    private let kept = Mutex<[Exchange]>([])
    private let sheddings = Mutex<[Shedding]>([])

    var exchanges: [Exchange] { kept.withLock { $0 } }

    var shed: [Shedding] { sheddings.withLock { $0 } }

    func answered(_ exchange: Exchange) {
        kept.withLock { $0.append(exchange) }
    }

    func shed(_ peer: PeerAddress, _ reason: Shedding) {
        sheddings.withLock { $0.append(reason) }
    }
}

/// Holds every request until it is opened: what a slow upstream looks like from here.
final class Gate: Responder {
    private enum State {
        case shut([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Mutex(State.shut([]))
    private let arrivals = Atomic<Int>(0)

    /// How many requests have come.
    var count: Int { arrivals.load(ordering: .acquiring) }

    func open() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard case .shut(let waiting) = state else { return [] }
            state = .open
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func respond(to request: Request) async -> Response {
        arrivals.add(1, ordering: .acquiringAndReleasing)
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard case .shut(let waiting) = state else { return true }
                state = .shut(waiting + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
        return .text(200, request.path)
    }
}

/// Waits until something on another thread has come true. Blocks, as the client does.
func eventually(within patience: Duration = .seconds(10), _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + patience
    while !condition() {
        guard ContinuousClock.now < deadline else { return false }
        usleep(500)
    }
    return true
}
