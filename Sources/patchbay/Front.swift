import AdaptyAPI
import Authentication
import Configuration
import Delivery
import EventLoop
import Logging
import RateLimit
import Relay
import Synchronization
import Vendors

/// What stays for as long as the process runs, whatever the configuration becomes.
struct Ground: Sendable {
    let loops: [EventLoop]
    let clock: LoopClock
    let time: SteadyTime<LoopClock>
    let outbox: any Outbox
    let answers: Answers
    let health: Health
    let observer: DeliveryConditions
    let logger: Logger

    /// Says what waits for apps that nobody configures any more: without a word it would wait for ever.
    func warnOfOrphans(besides apps: [AppConfiguration]) async {
        let names = Set(apps.map(\.name))
        for app in await outbox.census() where !names.contains(app.app) && app.waiting + app.deadLetters > 0 {
            logger.warning(
                "undelivered of an app that is not configured: name it again, or discard it",
                metadata: LogLine { json in
                    json.field("app", app.app)
                    json.field("waiting", app.waiting)
                    json.field("dead_letters", app.deadLetters)
                }.metadata)
        }
    }
}

/// What a reload replaces: everything between the sockets and the outbox, and between the outbox and the upstreams.
struct Front: Sendable {
    let configuration: Configuration
    let responder: PublicAPI
    let routes: [String: DeliveryRoute]
    let refreshes: [KeyRefresh]
    private let limiter: RateLimiter
    private let issuers: [String: TokenIssuer]
    /// App Check's, by the URL that they are fetched from.
    private let appCheckKeys: [String: TokenKeys]
    private let answered: [String: AnsweredMessages]

    /// - Parameter previous: what need not be made anew is taken over from it: connections, circuits, what senders have
    ///   spent of their limits, keys that were fetched, which messages were answered.
    init(_ checked: CheckedConfiguration, on ground: Ground, after previous: Front? = nil) async throws {
        let configuration = checked.configuration
        self.configuration = configuration
        let changes = previous.map { configuration.changes(from: $0.configuration) }
        func isSame(_ path: String) -> Bool { changes.map { !$0.contains { $0.hasPrefix(path) } } ?? false }

        var routes: [String: DeliveryRoute] = [:]
        for app in configuration.apps where app.isEnabled {
            if isSame("apps.\(app.name)."), let route = previous?.routes[app.name] {
                routes[app.name] = route
            } else {
                routes[app.name] = try DeliveryRoute(app, on: ground)
            }
        }
        self.routes = routes

        var issuers: [String: TokenIssuer] = [:]
        var refreshes: [KeyRefresh] = []
        for settings in configuration.profileTokens {
            guard case .published(let url) = settings.keys else {
                let keys = try await TokenKeys(checked.tokenKeys[settings.name] ?? [])
                issuers[settings.name] = TokenIssuer(settings, keys)
                continue
            }
            let known = isSame("profile_tokens.\(settings.name).") ? previous?.issuers[settings.name] : nil
            let issuer = known ?? TokenIssuer(settings, TokenKeys(fetchedEvery: settings.refresh))
            issuers[settings.name] = issuer
            refreshes.append(try KeyRefresh(of: issuer, from: url, on: ground.loops[0], logger: ground.logger))
        }
        self.issuers = issuers
        var appCheckKeys: [String: TokenKeys] = [:]
        for url in Set(configuration.clientKeys.compactMap(\.appCheck?.keySetURL)) {
            let keys = previous?.appCheckKeys[url] ?? AppCheck.unfetchedKeys()
            appCheckKeys[url] = keys
            refreshes.append(
                try KeyRefresh(
                    keys, of: "app_check", for: AppCheck.algorithms, from: url, on: ground.loops[0],
                    logger: ground.logger))
        }
        self.appCheckKeys = appCheckKeys
        self.refreshes = refreshes

        limiter =
            if isSame("limits."), let previous { previous.limiter } else { RateLimiter(Limits(configuration.limits)) }
        let catalog = checked.catalog
        let intake = Intake(
            authenticator: GateKeeper(
                configuration, configuration.profileTokens.compactMap { issuers[$0.name] }, appCheckKeys),
            limiter: limiter, normalizer: catalog, outbox: ground.outbox,
            apps: Dictionary(
                uniqueKeysWithValues: configuration.apps.map { app in
                    (app.name, App(version: app.api, reader: routes[app.name]?.upstream))
                }))
        var answered: [String: AnsweredMessages] = [:]
        let sources = configuration.sources.map { source in
            let messages = previous?.answered[source.name] ?? AnsweredMessages()
            answered[source.name] = messages
            return Source(source, answered: messages)
        }
        self.answered = answered
        responder = PublicAPI(
            intake: intake, sources: Dictionary(uniqueKeysWithValues: sources.map { ($0.name, $0) }),
            normalizer: catalog, answers: ground.answers, health: ground.health,
            clientOrigins: configuration.clientOrigins,
            digest: { body in body.withUnsafeBytes { shortDigest($0) } })
    }
}

extension Front {
    var pipelines: [Pipeline] { routes.values.map(\.delivery.pipeline) }

    /// The apps of which nothing goes out, because the configuration says so.
    var disabledApps: Set<String> { Set(configuration.apps.filter { !$0.isEnabled }.map(\.name)) }
}

/// One app's way out: its connections, and what decides when they are used.
struct DeliveryRoute: Sendable {
    let version: APIVersion
    let upstream: AdaptyAPI
    let delivery: AppDelivery<LoopClock>

    init(_ app: AppConfiguration, on ground: Ground) throws {
        version = app.api
        upstream = try AdaptyAPI(AdaptyAPI.Settings(app), on: ground.loops)
        delivery = AppDelivery(
            app: app.name, policy: DeliveryPolicy(app), outbox: ground.outbox, upstream: upstream,
            answers: ground.answers, observer: ground.observer, clock: ground.clock,
            time: { [time = ground.time] in time.now },
            executor: ground.loops[0])
    }

    /// Takes no more, lets what is under way end, and abandons what takes longer than it may: it goes back to the
    /// outbox.
    func retire(within timeout: Duration) async {
        await withTaskGroup { group in
            group.addTask { await delivery.drain() }
            // Attempts that outlast the time are abandoned here, and that ends the drain above.
            group.addTask { await upstream.close(grace: timeout) }
        }
    }
}

/// Answers as the front of the moment does. A request that has begun is answered by the front that it began with.
final class CurrentResponder: Responder {
    private let current: Mutex<any Responder>

    init(_ responder: any Responder) {
        current = Mutex(responder)
    }

    func replace(with responder: any Responder) {
        current.withLock { $0 = responder }
    }

    func answerEarly(_ head: Request) -> Response? { current.withLock { $0 }.answerEarly(head) }

    func answer(_ refusal: Refusal, to head: Request, isWhole: Bool) -> Response {
        current.withLock { $0 }.answer(refusal, to: head, isWhole: isWhole)
    }

    func takesLongBodies(at path: String) -> Bool { current.withLock { $0 }.takesLongBodies(at: path) }

    func reply(to request: Request) -> Reply { current.withLock { $0 }.reply(to: request) }

    func respond(to request: Request) async -> Response {
        switch reply(to: request) {
        case .now(let response): response
        case .later(let answer): await answer()
        }
    }
}
