import Delivery
import EventLoop
import Glibc
import Logging
import Relay
import SQLiteOutbox
import ServiceLifecycle
import Synchronization

// Each part as a service: it runs until the group shuts down, and stops after everything that needs it has stopped.

/// The loops run first and stop last.
struct LoopsService: Service {
    let loops: [EventLoop]

    func run() async throws {
        for loop in loops { try loop.start() }
        try? await gracefulShutdown()
        for loop in loops { loop.stop() }
    }
}

/// What was accepted is in the file before the process ends.
struct OutboxService: Service {
    let outbox: SQLiteOutbox

    func run() async throws {
        try? await gracefulShutdown()
        await outbox.close()
    }
}

/// Delivers until told to stop; then lets attempts in flight end, and abandons what takes longer than it may.
final class DeliveryService: Service {
    private struct State {
        var routes: [String: DeliveryRoute]
        /// Those that were replaced and are not done yet.
        var retiring: [Task<Void, Never>] = []
        /// Nothing is replaced any more: nobody would wait for what replaces it.
        var isStopping = false
    }

    private let state: Mutex<State>
    private let due: DueSignal
    private let drain: Drain

    init(_ routes: [String: DeliveryRoute], due: DueSignal, drain: Drain) {
        state = Mutex(State(routes: routes))
        self.due = due
        self.drain = drain
    }

    func run() async throws {
        due.connect { [self] app in
            guard let delivery = state.withLock({ $0.routes[app] })?.delivery else { return }
            delivery.wake()
        }
        for route in state.withLock({ $0.routes }).values { route.delivery.wake() }
        try? await gracefulShutdown()
        let (routes, retiring) = state.withLock { state in
            state.isStopping = true
            return (state.routes, state.retiring)
        }
        let rest = drain.rest
        await withTaskGroup { group in
            for route in routes.values { group.addTask { await route.retire(within: rest) } }
            for task in retiring { group.addTask { await task.value } }
        }
        due.disconnect()
    }

    /// New deliveries go new ways at once; what is under way on an old one ends there. No profile is on two ways
    /// together: the outbox hands it out again only when it was settled.
    func replace(with routes: [String: DeliveryRoute]) {
        let old = state.withLock { state -> [String: DeliveryRoute]? in
            guard !state.isStopping else { return nil }
            let old = exchange(&state.routes, with: routes)
            let gone = old.filter { name, route in routes[name]?.delivery !== route.delivery }
            state.retiring += gone.values.map { route in Task { await route.retire(within: drain.timeout) } }
            return old
        }
        guard let old else { return }
        for (name, route) in routes where old[name]?.delivery !== route.delivery {
            route.delivery.wake()
        }
    }
}

/// The time that a stop takes: one for all parts that end one after the other.
final class Drain: Sendable {
    /// From readiness turning 503 until the doors close.
    let delay: Duration
    /// From then on, for what is in flight.
    let timeout: Duration
    private let end = Mutex<ContinuousClock.Instant?>(nil)

    init(delay: Duration, timeout: Duration) {
        self.delay = delay
        self.timeout = timeout
    }

    /// The doors close now.
    func begin() { end.withLock { $0 = .now + timeout } }

    /// What is left of the timeout, and a second at least where that is as long: what ends by itself within a moment
    /// may.
    var rest: Duration { end.withLock { end in end.map { max($0 - .now, min(timeout, .seconds(1))) } ?? timeout } }
}

/// Carries the outbox's word that something is due to the deliveries, which are made after the outbox.
final class DueSignal: Sendable {
    private let receiver = Mutex<(@Sendable (String) -> Void)?>(nil)

    /// What is raised before there is a receiver is not lost: a delivery looks once when it starts.
    func connect(_ receive: @escaping @Sendable (String) -> Void) {
        receiver.withLock { $0 = receive }
    }

    func disconnect() {
        receiver.withLock { $0 = nil }
    }

    func raise(_ app: String) {
        receiver.withLock { $0 }?(app)
    }
}

/// A server that serves until it is told to stop, and then lets what was asked have its answer.
struct ServerService: Service {
    let server: HTTPServer
    let timeout: Duration

    func run() async throws {
        server.start()
        try? await gracefulShutdown()
        await server.drain(timeout: timeout)
    }
}

/// The public routes: first the load balancer is told to go elsewhere, then the doors are closed.
struct PublicService: Service {
    /// Without and with TLS.
    let servers: [HTTPServer]
    let health: Health
    let answers: Answers
    let requestLog: RequestLog
    let clock: LoopClock
    let drain: Drain
    let logger: Logger

    func run() async throws {
        // Whoever is answered finds it ready; who comes sooner waits in the kernel.
        health.serve()
        for server in servers { server.start() }
        try? await gracefulShutdown()
        health.drain()
        logger.notice(
            "draining",
            metadata: LogLine { json in
                json.field("delay_ms", milliseconds: drain.delay)
                json.field("timeout_ms", milliseconds: drain.timeout)
            }.metadata)
        try? await clock.sleep(for: drain.delay)
        drain.begin()
        // Who waits for Adapty is told in time that its patch is kept, and not cut off.
        answers.end(within: drain.timeout / 2)
        await withTaskGroup { group in
            for server in servers { group.addTask { await server.drain(timeout: drain.timeout) } }
        }
        requestLog.close()
    }
}

extension Logger {
    static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}

/// Writes nothing.
struct SilentLog: LineLog {
    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {}
}

/// SIGHUP ends a process that does not mind it, and managers send it to ask for a reload. The last to start and the
/// first to stop: what a reload puts to use is stopped with everything else.
struct HangupService: Service {
    private let loop: EventLoop
    private let reload: Reload?
    private let watch = LoopBox<SignalWatch>()

    /// Watches from here on, before the loop is started: what is sent meanwhile is seen when it is.
    /// - Parameter reload: nil where the configuration is in no file.
    init(loop: EventLoop, reload: Reload?) {
        self.loop = loop
        self.reload = reload
        watch.value = SignalWatch(loop, SIGHUP) { reload?.request() }
    }

    func run() async throws {
        // Files are read, and that may take its time: off the loop. A stop does not wait for it.
        let reloads = Task.detached { [reload] in await reload?.serve() }
        try? await gracefulShutdown()
        reloads.cancel()
        loop.execute { [watch] in watch.value = nil }
    }
}

/// Something that only its loop touches once that runs: hence unchecked.
private final class LoopBox<Value>: @unchecked Sendable {
    var value: Value?
}
