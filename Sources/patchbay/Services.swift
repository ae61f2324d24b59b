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
    }

    private let state: Mutex<State>
    private let due: DueSignal
    private let timeout: Duration

    init(_ routes: [String: DeliveryRoute], due: DueSignal, timeout: Duration) {
        state = Mutex(State(routes: routes))
        self.due = due
        self.timeout = timeout
    }

    func run() async throws {
        due.connect { [self] app in
            guard let delivery = state.withLock({ $0.routes[app] })?.delivery else { return }
            delivery.wake()
        }
        for route in state.withLock({ $0.routes }).values { route.delivery.wake() }
        try? await gracefulShutdown()
        let (routes, retiring) = state.withLock { ($0.routes, $0.retiring) }
        await withTaskGroup { group in
            for route in routes.values { group.addTask { await route.retire(within: self.timeout) } }
            for task in retiring { group.addTask { await task.value } }
        }
        due.disconnect()
    }

    /// New deliveries go new ways at once; what is under way on an old one ends there. No profile is on two ways
    /// together: the outbox hands it out again only when it was settled.
    func replace(with routes: [String: DeliveryRoute]) {
        let old = state.withLock { state in exchange(&state.routes, with: routes) }
        let gone = old.filter { name, route in routes[name]?.delivery !== route.delivery }
        let tasks = gone.values.map { route in Task { await route.retire(within: timeout) } }
        state.withLock { $0.retiring += tasks }
        for (name, route) in routes where old[name]?.delivery !== route.delivery {
            route.delivery.wake()
        }
    }
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
    let clock: LoopClock
    let delay: Duration
    let timeout: Duration

    func run() async throws {
        // Whoever is answered finds it ready; who comes sooner waits in the kernel.
        health.serve()
        for server in servers { server.start() }
        try? await gracefulShutdown()
        health.drain()
        try? await clock.sleep(for: delay)
        await withTaskGroup { group in
            for server in servers { group.addTask { await server.drain(timeout: timeout) } }
        }
    }
}

extension Logger {
    static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}

/// Writes nothing.
struct SilentLog: LineLog {
    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {}
}

/// SIGHUP ends a process that does not mind it, and managers send it to ask for a reload.
struct HangupService: Service {
    let loop: EventLoop
    let reload: @Sendable () async -> Void

    func run() async throws {
        let watch = LoopBox<SignalWatch>()
        loop.execute { [loop, reload] in
            // Files are read, and that may take its time: off the loop.
            watch.value = SignalWatch(loop, SIGHUP) { Task.detached { await reload() } }
        }
        try? await gracefulShutdown()
        loop.execute { watch.value = nil }
    }
}

/// Something that only its loop touches, on its way between two of the loop's jobs: hence unchecked.
private final class LoopBox<Value>: @unchecked Sendable {
    var value: Value?
}
