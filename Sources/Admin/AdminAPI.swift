package import Relay

/// What operators and Prometheus ask: health, metrics, and why requests were refused. Listens where the configuration
/// says, apart from the public routes.
package struct AdminAPI: Responder {
    private let health: Health
    private let registry: MetricsRegistry
    private let outbox: any Outbox
    private let desk: DeskAPI
    private let rejected: RejectedPage
    private let admit: @Sendable (Request) -> Admission

    /// - Parameter admit: whether a request may see what is not public; compares the admin token in constant time.
    package init(
        health: Health, registry: MetricsRegistry, outbox: any Outbox, desk: DeskAPI,
        rejections: Rejections = Rejections(),
        admit: @escaping @Sendable (Request) -> Admission
    ) {
        self.health = health
        self.registry = registry
        self.outbox = outbox
        self.desk = desk
        rejected = RejectedPage(rejections: rejections)
        self.admit = admit
    }

    package func respond(to request: Request) async -> Response {
        if let route = DeskAPI.Route(rawValue: request.path) {
            var response =
                if let refusal = refusal(of: request) { refusal } else { await desk.respond(to: request, on: route) }
            response.account.route = route.rawValue
            return response
        }
        guard let route = Route(rawValue: request.path) else { return Response(.notFound) }
        guard request.method == .get || request.method == .head else {
            return Response(.methodNotAllowed([.get, .head]))
        }
        var response: Response
        switch route {
        case .livez: response = health.answer(.isAlive)
        case .readyz: response = health.answer(.isReady)
        case .metrics: response = if let refusal = refusal(of: request) { refusal } else { await metrics() }
        case .rejected: response = refusal(of: request) ?? rejected.answer(request.query, now: request.received)
        }
        response.account.route = route.rawValue
        return response
    }

    private func metrics() async -> Response {
        let text = await registry.render() + renderOutbox()
        return Response(
            status: 200, headers: [Field("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array(text.utf8))
    }

    /// Nil where the request may see what it asks for.
    private func refusal(of request: Request) -> Response? {
        switch admit(request) {
        case .granted:
            return nil
        case .unauthorized:
            var response = Response(.unauthorized(cause: "admin_token"))
            response.headers.append(Field("WWW-Authenticate", "Bearer"))
            return response
        case .misdirected:
            return Response(
                Refusal(
                    421, "misdirected_request",
                    "Without a token the admin listener answers to numeric addresses, localhost and admin.hosts."))
        }
    }

    private enum Route: String {
        case livez = "/livez"
        case readyz = "/readyz"
        case metrics = "/metrics"
        case rejected = "/rejected"
    }

    /// What waits is asked for, not kept: it is right at the moment of the scrape.
    private func renderOutbox() async -> String {
        let census = await outbox.census()
        var text = MetricsText()
        text.head("patchbay_profiles_waiting", .gauge)
        for app in census { text.sample("patchbay_profiles_waiting", [("app", app.app)], Double(app.waiting)) }
        text.head("patchbay_oldest_waiting_seconds", .gauge)
        for app in census {
            text.sample("patchbay_oldest_waiting_seconds", [("app", app.app)], app.oldestAge?.inSeconds ?? 0)
        }
        text.head("patchbay_dead_letters", .gauge)
        for app in census { text.sample("patchbay_dead_letters", [("app", app.app)], Double(app.deadLetters)) }
        text.head("patchbay_outbox_file_bytes", .gauge)
        text.sample("patchbay_outbox_file_bytes", [], Double(desk.fileBytes))
        text.head("patchbay_outbox_writable", .gauge)
        text.sample("patchbay_outbox_writable", [], outbox.isWritable ? 1 : 0)
        return text.text
    }
}
