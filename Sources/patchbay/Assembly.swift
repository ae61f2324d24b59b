import AdaptyAPI
import Admin
import Authentication
import Configuration
import Delivery
import EventLoop
import Listener
import Logging
import RateLimit
import Relay
import SQLiteOutbox
import ServiceLifecycle
import TLS
import Vendors

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
    init(_ configuration: Configuration, logger: Logger, registry: MetricsRegistry) async throws {
        let loops = try (0..<configuration.loops).map { try EventLoop(name: "loop \($0)") }
        // Deliveries live on the first loop; attempts go out on all of them.
        let clock = LoopClock(loops[0])
        let label = profileLabel(configuration.log.profiles)
        let answers = Answers(clock: clock)
        let time = SteadyTime(clock)

        var settings = OutboxSettings(configuration)
        settings.clock = { time.now }
        let due = DueSignal()
        let incidents = OutboxIncidents(logger: logger)
        let outbox =
            switch configuration.outbox {
            case .sqlite(let path):
                try SQLiteOutbox(path: path, settings: settings, onEvent: incidents.raise, onDue: due.raise)
            }
        let health = Health { outbox.isWritable }

        let observer = DeliveryConditions(next: DeliveryLog(logger: logger, label: label))
        var upstreams: [AdaptyAPI] = []
        var deliveries: [String: AppDelivery<LoopClock>] = [:]
        var apps: [String: App] = [:]
        for app in configuration.apps {
            let upstream = try AdaptyAPI(AdaptyAPI.Settings(app), on: loops)
            upstreams.append(upstream)
            apps[app.name] = App(version: app.api, reader: upstream)
            deliveries[app.name] = AppDelivery(
                app: app.name, policy: DeliveryPolicy(app), outbox: outbox, upstream: upstream, answers: answers,
                observer: observer, clock: clock, time: { time.now }, executor: loops[0])
        }

        var issuers: [TokenIssuer] = []
        var refreshes: [KeyRefresh] = []
        for settings in configuration.profileTokens {
            let issuer = try await TokenIssuer(settings)
            issuers.append(issuer)
            if case .published(let url) = settings.keys {
                refreshes.append(try KeyRefresh(of: issuer, from: url, on: loops[0], logger: logger))
            }
        }

        let catalog = try configuration.catalog
        let intake = Intake(
            authenticator: GateKeeper(configuration, issuers), limiter: RateLimiter(Limits(configuration.limits)),
            normalizer: catalog, outbox: outbox, apps: apps)
        let sources = configuration.sources.map { Source($0) }
        let publicAPI = PublicAPI(
            intake: intake, sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0) }),
            normalizer: catalog, answers: answers, health: health,
            digest: { body in body.withUnsafeBytes { shortDigest($0) } })
        let rejections = Rejections(places: configuration.credentialPlaces)

        let limits = ListenerLimits(configuration)
        let budget = ListenerBudget(
            connections: configuration.connectionsWithinDescriptors,
            perAddress: configuration.limits.connectionsPerAddress, bytes: configuration.limits.bytesInFlight)
        let requestLog = RequestLog(logger: logger, label: label, rejections: rejections)
        func serve(_ address: SocketAddress, _ tls: TLSAcceptor?) throws -> HTTPServer {
            try HTTPServer(
                address, on: loops, responder: publicAPI, observer: requestLog, limits: limits, budget: budget, tls: tls
            ) { logger.error("accepting pauses", metadata: ["error": "\($0)"]) }
        }
        let server = try serve(configuration.listen, nil)
        let certificates = try configuration.tls.map { try Certificates(TLSSettings($0), logger: logger) }
        let tlsServer: HTTPServer? =
            if let tls = configuration.tls { try serve(tls.listen, certificates?.acceptor) } else { nil }
        let adminAPI = AdminAPI(
            health: health, registry: registry, outbox: outbox,
            desk: DeskAPI(desk: outbox, conditions: observer, label: label), rejections: rejections,
            authorize: Self.adminCheck(configuration.admin))
        let adminServer = try HTTPServer(
            configuration.admin.listen, on: [loops[0]], responder: adminAPI, observer: SilentObserver())

        self.outbox = outbox
        publicAddress = server.address
        tlsAddress = tlsServer?.address
        adminAddress = adminServer.address
        services = [
            LoopsService(loops: loops),
            HangupService(loop: loops[0], logger: logger, reload: certificates?.reload),
            KeyService(refreshes: refreshes, clock: clock),
            OutboxService(outbox: outbox),
            DeliveryService(
                deliveries: deliveries, upstreams: upstreams, due: due, timeout: configuration.drain.timeout),
            ServerService(server: adminServer, timeout: .seconds(1)),
            PublicService(
                servers: [server] + (tlsServer.map { [$0] } ?? []), health: health, clock: clock,
                delay: configuration.drain.delay,
                timeout: configuration.drain.timeout),
            WaitingReport(outbox: outbox, conditions: observer, clock: clock, logger: logger),
            incidents,
        ]
    }

    /// Off loopback a token is required; the configuration saw to that.
    private static func adminCheck(_ admin: AdminConfiguration) -> @Sendable (Request) -> Bool {
        guard !admin.tokens.isEmpty else { return { _ in true } }
        let scheme = TokenScheme(admin.tokens, in: .header("authorization", prefix: "Bearer "))
        return { request in
            var request = request
            return scheme.verify(&request) == .genuine
        }
    }
}
