import AdaptyAPI
import Admin
import ArgumentParser
import Configuration
import EventLoop
import Glibc
import Logging
import Metrics
import Relay
import ServiceLifecycle
import TLS
import UnixSignals

/// Runs a node: webhooks and payloads in, patches out, until SIGTERM.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a node.",
        discussion: """
            Example:
              ADAPTY_SECRET_KEY=secret_live_... patchbay serve --config config/patchbay.yaml

            Logs JSON lines to standard output. SIGTERM drains: /readyz turns 503, what is in flight ends, nothing \
            accepted is lost. SIGHUP reads the configuration again, all or nothing. Exits 74 when the disk does not \
            keep what it is given or the outbox's files are taken away, 78 when the configuration is wrong; `patchbay \
            check` says the same without starting.
            """)

    @Option(help: "The configuration file.")
    var config = "config/patchbay.yaml"

    @Flag(help: "Wait for the node that has the outbox to stop; who connects meanwhile waits too.")
    var takeOver = false

    func run() async throws {
        let start = ContinuousClock.now
        let checked = try loadConfiguration(config)
        let configuration = checked.configuration
        prepareProcess()
        let writer = LogWriter(descriptor: STDOUT_FILENO)
        let level = LogLevel(Logger.Level(configuration.log.level))
        let logger = Logger(label: "patchbay") { _ in JSONLogHandler(writer: writer, level: level) }
        let registry = MetricsRegistry()
        MetricsSystem.bootstrap(registry)

        let assembly: Assembly
        do {
            assembly = try await Assembly(
                checked, at: config, takesOver: takeOver, logger: logger,
                log: JSONLog(writer: writer, level: level), registry: registry, level: level.set)
        } catch {
            printError("patchbay: \(error)")
            throw ExitCode.failure
        }
        StartupMemory.release()
        logger.notice(
            "serving",
            metadata: LogLine { json in
                json.field("listen", assembly.publicAddress.description)
                if let address = assembly.tlsAddress { json.field("tls", address.description) }
                json.field("admin", assembly.adminAddress.description)
                json.field("loops", configuration.loops)
                json.field("apps", configuration.apps.count)
                json.field("sources", configuration.sources.count)
                json.field("ready_ms", milliseconds: start.duration(to: .now))
            }.metadata)
        let services = assembly.services.map { service in
            ServiceGroupConfiguration.ServiceConfiguration(
                service: service,
                failureTerminationBehavior: service is OutboxIncidents ? .gracefullyShutdownGroup : .cancelGroup)
        }
        var group = ServiceGroupConfiguration(services: services, logger: .silent)
        group.gracefulShutdownSignals = [.sigterm, .sigint]
        defer { writer.flush() }
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as OutboxIncidents.Broken {
            printError("patchbay: \(error)")
            throw ExitCode.inputOutput
        }
        logger.notice("stopped")
    }

    private func prepareProcess() {
        // A peer that is gone is an error of one send, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        // Until something listens for it: by default it would end the process.
        signal(SIGHUP, SIG_IGN)
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
    }
}

/// Reads a configuration; prints every mistake and ends with 78 where there is one.
/// - Parameter warn: is told what is no mistake but should be seen; `serve` logs it instead.
func loadConfiguration(_ path: String, warn: (String) -> Void = { _ in }) throws -> CheckedConfiguration {
    do {
        return try CheckedConfiguration(contentsOf: path, warn: warn)
    } catch {
        printError("\(path) is not right:\n\(error)")
        throw ExitCode.configuration
    }
}
