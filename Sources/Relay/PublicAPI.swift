/// The routes that partners, client apps and load balancers see. Finds the door, lets `Intake` decide, says it in the
/// caller's words.
package struct PublicAPI: Responder {
    let intake: Intake
    let sources: [String: Source]
    let normalizer: any Normalizer
    let answers: Answers
    let health: Health
    /// `/openapi.json`.
    private let description: OpenAPIDocument

    package init(
        intake: Intake, sources: [String: Source], normalizer: any Normalizer, answers: Answers, health: Health
    ) {
        self.intake = intake
        self.sources = sources
        self.normalizer = normalizer
        self.answers = answers
        self.health = health
        description = OpenAPIDocument(vendors: normalizer.vendorNames)
    }

    package func respond(to request: Request) async -> Response {
        switch route(request) {
        case .success(.health(let question)):
            return health.answer(question)
        case .success(.description):
            return description.answer
        case .success(.entrance(let entrance, let path)):
            var response: Response
            switch entrance {
            case .hook(let source): response = await accept(request, from: source)
            case .dropIn where request.method == .get: response = await read(request, through: entrance)
            case .client, .dropIn: response = await acceptAndWait(request, through: entrance)
            }
            response.account.route = path
            return response
        case .failure(let refusal):
            return Response(refusal)
        }
    }

    package func answerEarly(_ head: Request) -> Response? {
        switch route(head) {
        case .success(.health), .success(.description): return nil
        case .success(.entrance(let entrance, let path)):
            do {
                try intake.welcome(Received(head, through: entrance))
                return nil
            } catch {
                var response =
                    if case .hook(let source) = entrance { answer(error, to: head, of: source) } else {
                        Response(error)
                    }
                response.account.route = path
                return response
            }
        case .failure(let refusal):
            return Response(refusal)
        }
    }

    private func accept(_ request: Request, from source: Source) async -> Response {
        let dialect = normalizer.dialect(of: source.vendor)
        do {
            let receipt = try await intake.accept(Received(request, through: .hook(source)))
            return dialect.answer(receipt, to: request).accounting(for: receipt)
        } catch {
            return answer(error, to: request, of: source)
        }
    }

    /// In the words of the source's vendor.
    private func answer(_ refusal: Refusal, to request: Request, of source: Source) -> Response {
        var response = normalizer.dialect(of: source.vendor).answer(refusal, to: request)
        response.account = Response(refusal).account
        response.account.app = source.app
        response.account.caller = source.name
        return response
    }
}

// MARK: - Routes

extension PublicAPI {
    enum Route: Equatable {
        /// The entrance, and the path as the log may show it.
        case entrance(Entrance, String)
        case health(Health.Question)
        /// `/openapi.json`
        case description
    }

    static let dropInSuffix = "server-side-api/integration/profile/set/integration-identifiers"

    /// Finds the door. A trailing slash is optional; a source or vendor that does not exist is "nothing here", like any
    /// other path.
    func route(_ request: Request) -> Result<Route, Refusal> {
        var path = request.path[...]
        if path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        switch path {
        case "/livez": return allow([.get, .head], request, .health(.isAlive))
        case "/readyz": return allow([.get, .head], request, .health(.isReady))
        case "/openapi.json": return allow([.get, .head], request, .description)
        case "/api/v2/" + Self.dropInSuffix:
            return allow([.get, .post], request, .entrance(.dropIn(.v2), String(path)))
        case "/api/v1/" + Self.dropInSuffix: return allow([.post], request, .entrance(.dropIn(.v1), String(path)))
        default: break
        }
        if path.hasPrefix("/hooks/"), let source = sources[String(path.dropFirst("/hooks/".count))] {
            return allow([.get, .post, .put], request, .entrance(.hook(source), String(path)))
        }
        if path.hasPrefix("/client/") {
            let vendor = String(path.dropFirst("/client/".count))
            if normalizer.knows(vendor: vendor) {
                return allow([.post], request, .entrance(.client(vendor: vendor), String(path)))
            }
        }
        return .failure(.notFound)
    }

    private func allow(_ methods: [Method], _ request: Request, _ route: Route) -> Result<Route, Refusal> {
        methods.contains(request.method) ? .success(route) : .failure(.methodNotAllowed(methods))
    }
}

extension Response {
    func accounting(for receipt: Receipt) -> Response {
        var response = self
        response.account.app = receipt.caller.app
        response.account.caller = receipt.caller.name
        response.account.profile = receipt.profile
        response.account.accepted = receipt.accepted
        response.account.unchanged = receipt.unchanged
        response.account.skips = receipt.skips
        return response
    }
}
