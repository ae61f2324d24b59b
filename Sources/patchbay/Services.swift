import EventLoop
import Logging
import Relay
import ServiceLifecycle

/// A server that serves until it is told to stop, and then lets what was asked have its answer.
struct ServerService: Service {
    let server: HTTPServer
    let timeout: Duration

    func run() async throws {
        server.start()
        try await gracefulShutdown()
        await server.drain(timeout: timeout)
    }
}

extension Logger {
    static let silent = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
}
