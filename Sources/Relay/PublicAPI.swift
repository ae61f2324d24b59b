/// The routes that partners, client apps and load balancers see. Finds the door, lets `Intake` decide, says it in the
/// caller's words. A class: the work that an answer takes holds on to it.
package final class PublicAPI: Responder {
    let intake: Intake
    let sources: [String: Source]
    /// The same by their whole paths.
    private let hooks: [String: Source]
    let normalizer: any Normalizer
    let answers: Answers
    let health: Health
    /// Those of every client key together: what a preflight is held against.
    let clientOrigins: Origins
    /// Whether there are any at all, of sources too.
    let hasOrigins: Bool
    /// `/openapi.json`.
    private let description: OpenAPIDocument
    private let digest: BodyDigest

    /// - Parameters:
    ///   - clientOrigins: of all client keys and issuers.
    ///   - digest: what is noted of a refused request's body.
    package init(
        intake: Intake, sources: [String: Source], normalizer: any Normalizer, answers: Answers, health: Health,
        clientOrigins: Origins = .none, digest: @escaping BodyDigest = { _ in nil }
    ) {
        self.intake = intake
        self.sources = sources
        hooks = Dictionary(uniqueKeysWithValues: sources.map { ("/hooks/" + $0.key, $0.value) })
        self.normalizer = normalizer
        self.answers = answers
        self.health = health
        self.clientOrigins = clientOrigins
        hasOrigins = !clientOrigins.isEmpty || sources.values.contains { !$0.origins.isEmpty }
        self.digest = digest
        description = OpenAPIDocument(vendors: normalizer.vendorNames)
    }

    package func respond(to request: Request) async -> Response {
        switch reply(to: request) {
        case .now(let response): response
        case .later(let answer): await answer()
        }
    }

    func answer(to request: Request) -> Reply {
        // What nearly every request asks for is one look-up away.
        let path = request.path
        if let source = hooks[path], Self.payloadMethods.contains(request.method) {
            return accept(request, from: source, at: path)
        }
        switch route(request) {
        case .success(.health(let question)):
            return .now(health.answer(question))
        case .success(.description):
            return .now(description.answer)
        case .success(.entrance(.hook(let source), let path)):
            if request.method == .head { return .now(welcome(request, of: source, at: path)) }
            return accept(request, from: source, at: path)
        case .success(.entrance(let entrance, let path)):
            return .later { [self] in
                let isQuestion = if case .dropIn = entrance { request.method == .get } else { false }
                var response =
                    isQuestion
                    ? await read(request, through: entrance) : await acceptAndWait(request, through: entrance)
                response.account.route = path
                return noted(response, request)
            }
        case .failure(let refusal):
            return .now(refused(refusal, to: request))
        }
    }

    /// A source's vendor is told in its own words, once it has proved who it is; before that nobody learns more than
    /// anywhere else.
    func refused(_ refusal: Refusal, to head: Request, isWhole: Bool = true) -> Response {
        switch door(at: head.path) {
        case .entrance(.hook(let source), let path):
            do throws(Refusal) {
                try intake.welcome(Received(head, through: .hook(source)))
            } catch {
                let mayFollow = !isWhole && error.status == 401 && error.cause == Refusal.noCredentialCause
                if !mayFollow { return answer(error, to: head, of: source, at: path) }
                break
            }
            return answer(refusal, to: head, of: source, at: path)
        case .entrance(_, let path):
            var response = Response(refusal)
            response.account.route = path
            return noted(response, head)
        case .health, .description, nil: break
        }
        return noted(Response(refusal), head)
    }

    package func takesLongBodies(at path: String) -> Bool { source(at: path) != nil }

    func refusedEarly(_ head: Request) -> Response? {
        refuseEarly(head).map { noted($0, head) }
    }

    private func refuseEarly(_ head: Request) -> Response? {
        switch route(head) {
        case .success(.health), .success(.description): return nil
        case .success(.entrance(let entrance, let path)):
            do {
                try intake.welcome(Received(head, through: entrance))
                return nil
            } catch {
                if case .hook(let source) = entrance { return answer(error, to: head, of: source, at: path) }
                var response = Response(error)
                response.account.route = path
                return response
            }
        case .failure(let refusal):
            return refused(refusal, to: head)
        }
    }

    /// HEAD, with which dashboards try a URL: the credential is looked at, and nothing is read.
    private func welcome(_ head: Request, of source: Source, at path: String) -> Response {
        do throws(Refusal) {
            try intake.welcome(Received(head, through: .hook(source)))
        } catch {
            return answer(error, to: head, of: source, at: path)
        }
        var response = Response(status: 200)
        response.account.app = source.app
        response.account.caller = source.name
        response.account.route = path
        return response
    }

    /// A webhook waits for the commit of what it changes; one that changes nothing waits for nothing.
    private func accept(_ request: Request, from source: Source, at path: String) -> Reply {
        do throws(Refusal) {
            let normalized = try intake.understand(Received(request, through: .hook(source)))
            if let receipt = normalized.repeated ?? normalized.recognized(by: intake.outbox) {
                return .now(answer(receipt, to: request, of: source, at: path, noting: normalized))
            }
            return .later { [self] in
                do throws(Refusal) {
                    let receipt = try await normalized.kept(in: intake.outbox)
                    return answer(receipt, to: request, of: source, at: path, noting: normalized)
                } catch {
                    return answer(error, to: request, of: source, at: path)
                }
            }
        } catch {
            return .now(answer(error, to: request, of: source, at: path))
        }
    }

    // In the words of the source's vendor.

    private func answer(
        _ receipt: Receipt, to request: Request, of source: Source, at path: String, noting normalized: Normalized
    ) -> Response {
        var response = normalizer.dialect(of: source.vendor).answer(receipt, to: request)
        if (200..<300).contains(response.status) { normalized.noteAnswer() }
        response.account(for: receipt)
        response.account.route = path
        return response
    }

    private func answer(_ refusal: Refusal, to request: Request, of source: Source, at path: String) -> Response {
        var response = normalizer.dialect(of: source.vendor).answer(refusal, to: request)
        response.account = Response(refusal).account
        response.account.app = source.app
        response.account.caller = source.name
        response.account.route = path
        if response.status < 300, let reason = refusal.skipReason {
            response.account.skips = [Skip(reason, refusal.message)]
        }
        return noted(response, request)
    }

    /// With what the request was, where it is refused.
    private func noted(_ response: Response, _ request: Request) -> Response {
        response.account.isRefusal ? response.noting(request, digest) : response
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

    /// What partners can choose in their dashboards.
    private static let payloadMethods: [Method] = [.get, .post, .put, .patch]
    static let dropInSuffix = "server-side-api/integration/profile/set/integration-identifiers"

    /// Finds the door. A trailing slash is optional; a source or vendor that does not exist is "nothing here", like any
    /// other path.
    func route(_ request: Request) -> Result<Route, Refusal> {
        guard let route = door(at: request.path) else { return .failure(.notFound) }
        let methods: [Method] =
            switch route {
            case .health, .description: [.get, .head]
            case .entrance(.hook, _): Self.payloadMethods + [.head]
            case .entrance(.dropIn(.v2), _): [.get, .post]
            case .entrance(.dropIn(.v1), _), .entrance(.client, _): [.post]
            }
        return methods.contains(request.method) ? .success(route) : .failure(.methodNotAllowed(methods))
    }

    /// What is at a path, whatever the method.
    private func door(at path: String) -> Route? {
        if let source = source(at: path) { return .entrance(.hook(source), "/hooks/\(source.name)") }
        var path = path[...]
        if path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        switch path {
        case "/livez": return .health(.isAlive)
        case "/readyz": return .health(.isReady)
        case "/openapi.json": return .description
        case "/api/v2/" + Self.dropInSuffix: return .entrance(.dropIn(.v2), String(path))
        case "/api/v1/" + Self.dropInSuffix: return .entrance(.dropIn(.v1), String(path))
        default: break
        }
        guard path.hasPrefix("/client/") else { return nil }
        let vendor = String(path.dropFirst("/client/".count))
        return normalizer.knows(vendor: vendor) ? .entrance(.client(vendor: vendor), String(path)) : nil
    }

    /// `/hooks/`, a name, and behind it a token where the source has it there. Dashboards that join a base and a path
    /// double the slash between them; an empty segment counts for nothing.
    private func source(at path: String) -> Source? {
        if let source = hooks[path] { return source }
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 4)
        guard (2...3).contains(parts.count), parts[0].elementsEqual("hooks".utf8),
            let source = sources[String(decoding: parts[1], as: UTF8.self)]
        else { return nil }
        return parts.count == 2 || source.hasTokenInPath ? source : nil
    }
}

/// What is noted of a body that was refused: the first 16 digits of its SHA-256.
package typealias BodyDigest = @Sendable (_ body: [UInt8]) -> String?

extension Response {
    /// With what the refused request was: enough to find a wrong setting at its sender.
    fileprivate func noting(_ request: Request, _ digest: BodyDigest) -> Response {
        var response = self
        response.account.shape = RequestShape(request)
        // Neither is about what was sent, and both come in floods.
        if status != 429, status < 500, !request.sentBody.isEmpty {
            var evidence = account.evidence ?? Evidence()
            if evidence.bodyDigest == nil { evidence.bodyDigest = digest(request.sentBody) }
            response.account.evidence = evidence
        }
        return response
    }

    func accounting(for receipt: Receipt) -> Response {
        var response = self
        response.account(for: receipt)
        return response
    }

    mutating func account(for receipt: Receipt) {
        account.app = receipt.caller.app
        account.caller = receipt.caller.name
        account.profile = receipt.profile
        account.accepted = receipt.accepted
        account.unchanged = receipt.unchanged
        account.skips = receipt.skips
        account.keys = receipt.keys
        account.unreadableTimes = receipt.unreadableTimes
    }
}
