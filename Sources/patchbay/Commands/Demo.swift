import Admin
import ArgumentParser
import Configuration
import EventLoop
import Glibc
import Logging
import Relay
import Sandbox
import ServiceLifecycle

/// Shows the whole way: sandbox and relay on free ports, every sample webhook over real sockets, a table of what
/// arrived.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs sandbox and relay on free ports, posts every sample webhook, shows what arrived.",
        discussion: """
            Example:
              patchbay demo

            Nothing leaves this machine. The outbox is a file in a temporary directory, gone afterwards.
            """)

    private static let token = "demo-token"
    private static let secretKey = "secret_live_demo"

    func run() async throws {
        let directory = try temporaryDirectory()
        defer { removeDirectory(directory) }

        let loop = try EventLoop(name: "sandbox")
        try loop.start()
        var settings = SandboxSettings(keys: [Secret(Self.secretKey)])
        settings.acceptsAnyProfile = true
        let sandbox = Sandbox(settings: settings, clock: LoopClock(loop))
        let anyPort = try SocketAddress.anyPort()
        let upstream = try HTTPServer(anyPort, on: [loop], responder: sandbox, observer: SilentObserver())
        upstream.start()

        let configuration = try configuration(upstream: upstream.address, directory: directory)
        let relay = try await Assembly(
            CheckedConfiguration(configuration), at: nil, logger: .silent, log: SilentLog(),
            registry: MetricsRegistry(), level: { _ in })
        let group = ServiceGroup(services: relay.services, logger: .silent)
        let running = Task { try await group.run() }
        print("Sandbox on http://\(upstream.address), relay on http://\(relay.publicAddress)\n")

        let report = try DemoReport(posting: DemoSample.all, to: relay.publicAddress, token: Self.token)
        let isDelivered = try await delivered(relay.outbox)
        print(report.accepted)
        await group.triggerGracefulShutdown()
        try await running.value
        print(report.held(by: sandbox))
        await upstream.drain(timeout: .seconds(1))
        loop.stop()
        guard report.isComplete, isDelivered else { throw ExitCode.failure }
    }

    /// Waits until nothing waits any more; a sandbox on this machine needs moments.
    private func delivered(_ outbox: any Outbox) async throws -> Bool {
        for _ in 0..<500 {
            if await outbox.census().allSatisfy({ $0.waiting == 0 }) { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        printError("patchbay: not everything was delivered within ten seconds")
        return false
    }

    /// What a user would write, read as a user's file is read.
    private func configuration(upstream: SocketAddress, directory: String) throws -> Configuration {
        let sources = Set(DemoSample.all.map(\.vendor)).sorted().map { vendor in
            "  \(vendor): { vendor: \(vendor), app: main, auth: { token: env:TOKEN, in: query, name: token } }"
        }
        let yaml = """
            listen: 127.0.0.1:0
            admin: { listen: 127.0.0.1:0 }
            outbox: sqlite:\(directory)/patchbay.db
            drain: { delay: 0s, timeout: 5s }
            apps:
              main: { upstream: "http://\(upstream)", secret_key: env:KEY }
            sources:
            \(sources.joined(separator: "\n"))
            """
        let (token, secretKey) = (Self.token, Self.secretKey)
        var surroundings = Surroundings.process
        surroundings.environment = { name in ["TOKEN": token, "KEY": secretKey][name] }
        return try Configuration(yaml: yaml, in: surroundings, vendors: Configuration.builtInVendors())
    }

    private func temporaryDirectory() throws(SystemError) -> String {
        var template = Array("/tmp/patchbay-demo-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw SystemError("mkdtemp") }
        return String(cString: path)
    }

    private func removeDirectory(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            unlink(path + "/" + name)
        }
        closedir(directory)
        rmdir(path)
    }
}

extension SocketAddress {
    fileprivate static func anyPort() throws(SystemError) -> SocketAddress {
        guard let address = SocketAddress("127.0.0.1:0") else { throw SystemError("inet_pton", code: EINVAL) }
        return address
    }
}
