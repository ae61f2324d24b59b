import Synchronization

/// What a load balancer is told. Alive while the process runs; ready while it takes traffic and can keep it.
package final class Health: Sendable {
    package enum Question: Equatable {
        case isAlive, isReady
    }

    private let isServing = Atomic(false)
    private let isStoreWritable: @Sendable () -> Bool

    package init(isStoreWritable: @escaping @Sendable () -> Bool) {
        self.isStoreWritable = isStoreWritable
    }

    /// Listening, from now on. Readiness turns 503 before the listener closes, so that the load balancer goes first.
    package func serve() { isServing.store(true, ordering: .relaxed) }
    package func drain() { isServing.store(false, ordering: .relaxed) }

    package var isReady: Bool { isServing.load(ordering: .relaxed) && isStoreWritable() }

    package func answer(_ question: Question) -> Response {
        switch question {
        case .isAlive:
            var response = Response.text(200, "alive\n")
            response.account.route = "/livez"
            return response
        case .isReady:
            var response = isReady ? Response.text(200, "ready\n") : Response.text(503, "not ready\n")
            response.account.route = "/readyz"
            return response
        }
    }
}
