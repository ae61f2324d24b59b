import ArgumentParser
import EventLoop
import Relay
import Sandbox
import ServiceLifecycle
import UnixSignals

/// A stand-in for the Adapty API on an address of one's own.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "A stand-in for the Adapty API: keys, profiles, v1 and v2, its answers and its errors.",
        discussion: """
            Example:
              patchbay sandbox --listen 127.0.0.1:9000 --any-profile
              API=http://127.0.0.1:9000/api/v2/server-side-api
              curl -X POST $API/integration/profile/set/integration-identifiers/ \\
                -H 'Authorization: Api-Key secret_live_sandbox' -H 'adapty-customer-user-id: usr_1' \\
                -H 'Content-Type: application/json' -d '{"appsflyer_id":"1547985076649-5309999"}'
              curl http://127.0.0.1:9000/_sandbox/profiles

            What it was sent stays in memory. PUT /_sandbox/profiles/ID makes a profile known.
            """)

    @Option(help: "Where to listen; port 0 takes a free one.")
    var listen = "127.0.0.1:9000"

    @Option(help: "A secret key it takes. Repeat for more.")
    var key = ["secret_live_sandbox"]

    @Option(help: "A profile that exists: a profile id (UUID) or a customer user id. Repeat for more.")
    var profile: [String] = []

    @Flag(help: "Every profile exists as soon as it is named.")
    var anyProfile = false

    @Option(
        help: """
            Something that goes wrong: latency=200ms or latency=20s (beyond the sender's timeout it is applied \
            late), a status such as 429 or 503, or reset; with a probability behind a colon, as in 500:0.2. Repeat \
            for more.
            """)
    var fault: [String] = []

    func run() async throws {
        let (address, settings) = try (address(), settings())
        let loop = try EventLoop(name: "sandbox")
        try loop.start()
        let sandbox = Sandbox(settings: settings, clock: LoopClock(loop))
        let server = try HTTPServer(address, on: [loop], responder: sandbox, observer: SilentObserver())
        server.start()
        printNow("Sandbox on http://\(server.address)")
        try await ServiceGroup(
            services: [ServerService(server: server, timeout: .seconds(5))],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: .silent
        ).run()
        loop.stop()
    }

    private func address() throws -> SocketAddress {
        guard let address = SocketAddress(listen) else {
            throw ValidationError("--listen: \(listen) is not an address and port such as 127.0.0.1:9000.")
        }
        return address
    }

    private func settings() throws -> SandboxSettings {
        var settings = SandboxSettings(keys: key.map { Secret($0) })
        settings.acceptsAnyProfile = anyProfile
        settings.profiles = try profile.map { text in
            guard let profile = ProfileReference.profileID(text) ?? ProfileReference.customerUserID(text) else {
                throw ValidationError("--profile: that can be no profile id and no customer user id.")
            }
            return profile
        }
        for text in fault where !settings.faults.add(text) {
            throw ValidationError(
                "--fault: \(text) is none of latency=200ms, latency=20s, 400 to 599, reset, with :0.1 behind it.")
        }
        return settings
    }
}
