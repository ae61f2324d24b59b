import Foundation
import Testing

/// A relay and its sandbox as processes, with a configuration of the test's own.
final class RelayUnderTest {
    static let secretKey = "secret_live_canary_8f3c9a"
    static let token = "canary-token-51d2"
    static let clientKey = "canary-client-key-77aa"
    /// Of a client that may only write.
    static let writerKey = "canary-writer-key-19bd"

    let directory: TemporaryDirectory
    let configuration: String
    private let environment: [String: String]
    private(set) var relay: RunningPatchbay
    let sandbox: RunningPatchbay?
    let upstream: String

    /// - Parameters:
    ///   - upstream: where to send to; a sandbox of its own if nil.
    ///   - sandboxOptions: what that sandbox is like.
    ///   - sources: more of them, a line each.
    ///   - settings: more of the configuration's top level.
    ///   - app: more of the app's keys.
    ///   - environment: more of the relay's variables.
    init(
        upstream: String? = nil, sandboxOptions: [String] = ["--any-profile"], sources more: [String] = [],
        settings: String = "", app: String = "",
        environment: [String: String] = [:]
    ) async throws {
        self.environment = environment
        directory = try TemporaryDirectory()
        if let upstream {
            sandbox = nil
            self.upstream = upstream
        } else {
            let sandbox = try await Self.startSandbox("127.0.0.1:0", sandboxOptions)
            self.sandbox = sandbox
            self.upstream = sandbox.address
        }
        let vendors = ["amplitude", "appsflyer", "onesignal", "mixpanel", "appmetrica"]
        let sources = vendors.map { vendor in
            "  \(vendor): { vendor: \(vendor), app: main, auth: { token: env:TOKEN, in: query, name: token } }"
        }
        let drain = settings.contains("drain:") ? "" : "drain: { delay: 100ms, timeout: 10s }"
        let limits =
            settings.contains("limits:") ? "" : "limits: { source: 1000000/s, client_ip: 100000/s, profile: 1000/s }"
        configuration = try directory.write(
            """
            listen: 127.0.0.1:0
            admin: { listen: 127.0.0.1:0 }
            outbox: sqlite:\(directory.path)/patchbay.db
            loops: 2
            \(drain)
            \(limits)
            apps:
              main: { upstream: "http://\(self.upstream)", secret_key: env:KEY, rate: { per_minute: 6000000, burst: 10000 }\(app.isEmpty ? "" : ", " + app) }
            sources:
            \((sources + more.map { "  " + $0 }).joined(separator: "\n"))
            client_keys:
              ios: { app: main, key: env:CLIENT_KEY, scopes: [write, read] }
              kiosk: { app: main, key: env:WRITER_KEY, scopes: [write] }
            \(settings)
            """, to: "patchbay.yaml")
        relay = try await Self.start(configuration, environment)
    }

    static func startSandbox(_ address: String, _ options: [String] = ["--any-profile"]) async throws -> RunningPatchbay
    {
        try await RunningPatchbay(["sandbox", "--listen", address, "--key", secretKey] + options)
    }

    private static func start(
        _ configuration: String, _ environment: [String: String]
    ) async throws -> RunningPatchbay {
        let variables = ["TOKEN": token, "KEY": secretKey, "CLIENT_KEY": clientKey, "WRITER_KEY": writerKey]
        return try await RunningPatchbay(
            ["serve", "--config", configuration], environment: variables.merging(environment) { $1 })
    }

    /// A second process with the same configuration, which takes over when the first has ended.
    static func startSuccessor(at configuration: String) async throws -> RunningPatchbay {
        let variables = ["TOKEN": token, "KEY": secretKey, "CLIENT_KEY": clientKey, "WRITER_KEY": writerKey]
        return try await RunningPatchbay(
            ["serve", "--take-over", "--config", configuration], environment: variables)
    }

    func startAgain() async throws {
        relay = try await Self.start(configuration, environment)
    }

    func hook(_ vendor: String) -> String { "/hooks/\(vendor)?token=\(Self.token)" }

    static let dropIn = "/api/v2/server-side-api/integration/profile/set/integration-identifiers/"
    static let dropInV1 = "/api/v1/server-side-api/integration/profile/set/integration-identifiers/"

    /// A metric's value, summed over its labels.
    func metric(_ name: String, _ label: String = "") throws -> Double {
        let text = try TestClient(relay.adminAddress).send("GET", "/metrics").text
        return text.split(separator: "\n").filter { line in
            line.hasPrefix(name + "{") || line.hasPrefix(name + " ")
        }.filter { label.isEmpty || $0.contains(label) }.compactMap { Double($0.split(separator: " ").last ?? "") }
            .reduce(0, +)
    }

    /// Waits until nothing waits for its delivery.
    func delivered(within seconds: Int = 60) async throws {
        for _ in 0..<(seconds * 20) {
            if try metric("patchbay_profiles_waiting") == 0 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("not delivered within \(seconds) s: \(relay.log.suffix(3000))")
    }

    /// Whether the relay's log says something, or soon does: it is written behind the answers.
    func logs(_ text: String) async throws -> Bool {
        for _ in 0..<100 where !relay.log.contains(text) { try await Task.sleep(for: .milliseconds(20)) }
        return relay.log.contains(text)
    }

    /// What a sandbox holds, by the profile's id.
    static func held(_ sandbox: RunningPatchbay) throws -> (profiles: [String: [String: String]], requests: Int) {
        let shown = try #require(try TestClient(sandbox.address).send("GET", "/_sandbox/profiles").json)
        var profiles: [String: [String: String]] = [:]
        for profile in try #require(shown["profiles"] as? [NSDictionary]) {
            let id = try #require((profile["customer_user_id"] ?? profile["profile_id"]) as? String)
            profiles[id] = profile["identifiers"] as? [String: String]
        }
        return (profiles, try #require(shown["requests"] as? Int))
    }

    func held() throws -> (profiles: [String: [String: String]], requests: Int) {
        try Self.held(try #require(sandbox))
    }
}
