import Configuration
import EventLoop
import Listener
import Logging
import Relay
import TLS

/// SIGHUP: reads the configuration, its secrets and the certificates again, and puts them to use together, or not at
/// all. Requests and attempts that are under way end as they began.
///
/// One reload at a time. Two that interleaved could each replace the same front, and the one that read its files first
/// be the last to do so: with deliveries on a pipeline that the other has retired already.
actor Reload {
    private let path: String
    private let ground: Ground
    private let parts: Parts
    private var front: Front
    /// At most one waits while a reload is under way: whoever asks meanwhile wants what stands in the files then, and
    /// the next one reads that for all of them.
    private let requests = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// What is told of a new front.
    struct Parts: Sendable {
        let responder: CurrentResponder
        let servers: [HTTPServer]
        let deliveries: DeliveryService
        let keys: KeyService
        let admin: AdminGate
        let rejections: Rejections
        /// Nil without TLS.
        let certificates: Certificates?
        let level: @Sendable (Logger.Level) -> Void
    }

    init(_ path: String, from front: Front, on ground: Ground, parts: Parts) {
        self.path = path
        self.front = front
        self.ground = ground
        self.parts = parts
    }

    /// Asks for a reload. Returns at once.
    nonisolated func request() {
        requests.continuation.yield()
    }

    /// Reloads whenever that is asked for, one after the other, until the task is cancelled. To be called once.
    func serve() async {
        for await _ in requests.stream { await run() }
    }

    private func run() async {
        do {
            let checked = try CheckedConfiguration(contentsOf: path) { ground.logger.warning("\($0)") }
            let configuration = checked.configuration
            let changes = configuration.changes(from: front.configuration)
            let fixed = changes.filter { configuration.isFixed($0, since: front.configuration) }
            guard fixed.isEmpty else {
                throw SettingMistake("a restart is needed to change \(fixed.joined(separator: ", "))")
            }
            let next = try await Front(checked, on: ground, after: front)
            guard !Task.isCancelled else { throw SettingMistake("this node is stopping") }
            adopt(next, checked.tls)
            let line = LogLine { json in json.array("changed") { json in for key in changes { json.element(key) } } }
            ground.logger.notice("the configuration was read again", metadata: line.metadata)
            await ground.warnOfOrphans(besides: configuration.apps)
        } catch {
            let line = LogLine { $0.field("error", "\(error)") }
            ground.logger.error("the configuration is not reloaded; the old one stays", metadata: line.metadata)
        }
    }

    private func adopt(_ next: Front, _ tls: TLSContext?) {
        let configuration = next.configuration
        // First: what a new pipeline says counts from its first attempt on.
        ground.observer.adopt(next.pipelines, disabled: next.disabledApps)
        parts.deliveries.replace(with: next.routes)
        parts.keys.replace(with: next.refreshes)
        parts.admin.admit(configuration.admin)
        parts.rejections.expect(configuration.credentialPlaces)
        parts.level(Logger.Level(configuration.log.level))
        for server in parts.servers { server.limit(ListenerLimits(configuration)) }
        if let tls { parts.certificates?.adopt(tls) }
        parts.responder.replace(with: next.responder)
        front = next
    }
}

extension Configuration {
    /// Whether a key is read only at start: the sockets, the outbox and what is counted over the whole process.
    fileprivate func isFixed(_ key: String, since old: Configuration) -> Bool {
        let parts = key.split(separator: ".")
        if key.hasSuffix(".reassert_after"), parts.first == "apps", parts.count == 3 {
            // Of an app that comes or goes it is as good as the default.
            func value(_ configuration: Configuration) -> Duration {
                configuration.apps.first { $0.name == parts[1] }?.reassertAfter ?? .seconds(24 * 3600)
            }
            return value(self) != value(old)
        }
        return Self.fixed.contains { key == $0 || key.hasPrefix($0 + ".") }
    }

    private static let fixed = [
        "listen", "tls", "admin.listen", "outbox", "retention", "loops", "drain", "limits.connections",
        "limits.connections_per_ip", "limits.bytes_in_flight", "log.profiles",
    ]
}
