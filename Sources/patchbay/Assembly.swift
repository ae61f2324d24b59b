import Admin
import Configuration
import Delivery
import EventLoop
import Listener
import Logging
import Relay
import SQLiteOutbox
import ServiceLifecycle
import TLS

/// Builds a node from its configuration: the only file that knows every part.
struct Assembly {
    /// In the order in which they start; they stop in reverse.
    let services: [any Service]
    let outbox: any Outbox
    let publicAddress: SocketAddress
    /// Nil without TLS.
    let tlsAddress: SocketAddress?
    let adminAddress: SocketAddress

    /// Opens everything that can fail: the outbox, the sockets, the upstreams. Nothing runs before the services do.
    /// - Parameters:
    ///   - path: where the configuration was read, and is read again; nil for one that is in no file.
    ///   - takesOver: another process may still have the outbox; who connects meanwhile is kept waiting.
    ///   - log: where requests and attempts go; `logger` takes the rest.
    ///   - level: sets what is logged.
    init(
        _ checked: CheckedConfiguration, at path: String?, takesOver: Bool = false, logger: Logger, log: any LineLog,
        registry: MetricsRegistry,
        level: @escaping @Sendable (Logger.Level) -> Void
    ) async throws {
        let configuration = checked.configuration
        try configuration.checkDescriptors()
        let loops = try (0..<configuration.loops).map { try EventLoop(name: "loop \($0)") }
        // Deliveries live on the first loop; attempts go out on all of them.
        let clock = LoopClock(loops[0])
        let label = profileLabel(configuration.log.profiles)
        let time = SteadyTime(clock)

        // Open before the other process closes its own: between the two somebody always listens.
        let opened = takesOver ? try ListeningSocket(configuration.listen) : nil
        var settings = OutboxSettings(configuration)
        if takesOver {
            settings.lockPatience = configuration.drain.delay + configuration.drain.timeout + .seconds(30)
        }
        settings.clock = { time.now }
        let due = DueSignal()
        let incidents = OutboxIncidents(logger: logger)
        let outbox =
            switch configuration.outbox {
            case .sqlite(let path):
                try SQLiteOutbox(path: path, settings: settings, onEvent: incidents.raise, onDue: due.raise)
            }
        let conditions = DeliveryConditions(next: DeliveryLog(log: log, label: label))
        let ground = Ground(
            loops: loops, clock: clock, time: time, outbox: outbox,
            answers: Answers(clock: clock) { conditions.isHeld($0) }, health: Health { outbox.isWritable },
            observer: conditions, logger: logger)
        let front = try await Front(checked, on: ground)
        conditions.adopt(front.pipelines, disabled: front.disabledApps)
        let responder = CurrentResponder(front.responder)

        let limits = ListenerLimits(configuration)
        let budget = ListenerBudget(
            connections: configuration.connectionsWithinDescriptors,
            perAddress: configuration.limits.connectionsPerAddress, bytes: configuration.limits.bytesInFlight)
        let rejections = Rejections(places: configuration.credentialPlaces)
        let requestLog = RequestLog(log: log, label: label, rejections: rejections, clock: clock)
        let accepting = AcceptFailures(logger: logger)
        func serve(
            _ address: SocketAddress, _ tls: TLSAcceptor?, opened: ListeningSocket? = nil
        ) throws -> HTTPServer {
            try HTTPServer(
                address, opened: opened, joins: takesOver, on: loops, responder: responder, observer: requestLog,
                limits: limits, budget: budget, tls: tls
            ) { accepting.failed($0) }
        }
        let server = try serve(configuration.listen, nil, opened: opened)
        let certificates = checked.tls.map { Certificates($0, logger: logger) }
        let tlsServer: HTTPServer? =
            if let tls = configuration.tls { try serve(tls.listen, certificates?.acceptor) } else { nil }
        let servers = [server] + (tlsServer.map { [$0] } ?? [])

        let gate = AdminGate(configuration.admin)
        let adminAPI = AdminAPI(
            health: ground.health, registry: registry, outbox: outbox,
            desk: DeskAPI(desk: outbox, conditions: ground.observer, label: label), rejections: rejections,
            admit: gate.judge)
        let adminServer = try HTTPServer(
            configuration.admin.listen, joins: takesOver, on: [loops[0]], responder: adminAPI,
            observer: SilentObserver(), budget: ListenerBudget(connections: Configuration.adminConnections))

        let drain = Drain(delay: configuration.drain.delay, timeout: configuration.drain.timeout)
        let deliveries = DeliveryService(front.routes, due: due, drain: drain)
        let keys = KeyService(front.refreshes, clock: clock)
        let reload = path.map { path in
            Reload(
                path, from: front, on: ground,
                parts: .init(
                    responder: responder, servers: servers, deliveries: deliveries, keys: keys, admin: gate,
                    rejections: rejections, certificates: certificates, level: level))
        }

        await ground.warnOfOrphans(besides: configuration.apps)
        self.outbox = outbox
        publicAddress = server.address
        tlsAddress = tlsServer?.address
        adminAddress = adminServer.address
        services = [
            LoopsService(loops: loops),
            keys,
            OutboxService(outbox: outbox),
            deliveries,
            ServerService(server: adminServer, timeout: .seconds(1)),
            PublicService(
                servers: servers, health: ground.health, answers: ground.answers, requestLog: requestLog,
                clock: clock, drain: drain, logger: logger),
            IdleSourceReport(requestLog: requestLog, clock: clock),
            WaitingReport(outbox: outbox, conditions: ground.observer, clock: clock, logger: logger),
            incidents,
            HangupService(loop: loops[0], reload: reload),
        ]
    }
}
