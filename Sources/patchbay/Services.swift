import AdaptyAPI
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
struct DeliveryService: Service {
    let deliveries: [String: AppDelivery<LoopClock>]
    let upstreams: [AdaptyAPI]
    let due: DueSignal
    let timeout: Duration

    func run() async throws {
        due.connect { app in
            guard let delivery = deliveries[app] else { return }
            Task { await delivery.wake() }
        }
        for delivery in deliveries.values { await delivery.wake() }
        try? await gracefulShutdown()
        await withTaskGroup { group in
            for delivery in deliveries.values { group.addTask { await delivery.drain() } }
            // Attempts that outlast the time are abandoned here, and that ends the drains above.
            for upstream in upstreams { group.addTask { await upstream.close(grace: timeout) } }
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
        for server in servers { server.start() }
        health.serve()
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

/// SIGHUP ends a process that does not mind it, and managers send it to ask for a reload: certificates are read again.
/// The configuration itself is not; that is said, and everything goes on.
struct HangupService: Service {
    let loop: EventLoop
    let logger: Logger
    /// Nil where there is nothing to read again.
    let reload: (@Sendable () -> Void)?

    func run() async throws {
        let watch = LoopBox<SignalWatch>()
        loop.execute { [loop, logger, reload] in
            watch.value = SignalWatch(loop, SIGHUP) {
                logger.warning("SIGHUP: the configuration is read only at start; restart to change it")
                // Files are read, and that may take its time: off the loop.
                if let reload { Task.detached { reload() } }
            }
        }
        try? await gracefulShutdown()
        loop.execute { watch.value = nil }
    }
}

/// Something that only its loop touches, on its way between two of the loop's jobs: hence unchecked.
private final class LoopBox<Value>: @unchecked Sendable {
    var value: Value?
}
