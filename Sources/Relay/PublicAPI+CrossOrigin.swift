// Web pages call client routes, and sources with `cors`: CORS, https://fetch.spec.whatwg.org/#http-cors-protocol.
//
// What a page may do is decided where its credential is known (`Caller.mayCome(from:)`). Here browsers are told which
// pages may ask and read at all: a preflight carries no credential, so it is every key's origins that count there. No
// answer lets cookies in (`Access-Control-Allow-Credentials`): nothing here reads them.

extension PublicAPI {
    package func reply(to request: Request) -> Reply {
        if request.method == .options, let answer = preflight(request) { return .now(answer) }
        guard let sharing = sharing(request) else { return answer(to: request) }
        switch answer(to: request) {
        case .now(let response): return .now(sharing.share(response))
        case .later(let answer): return .later { sharing.share(await answer()) }
        }
    }

    package func answerEarly(_ head: Request) -> Response? { shared(refusedEarly(head), head) }

    package func answer(_ refusal: Refusal, to head: Request, isWhole: Bool) -> Response {
        let response = refused(refusal, to: head, isWhole: isWhole)
        return sharing(head)?.share(response) ?? response
    }

    private func shared(_ response: Response?, _ request: Request) -> Response? {
        response.map { sharing(request)?.share($0) ?? $0 }
    }

    /// 204 where the page may go on and ask, 403 where it may not; nil for what is no preflight, or of a path where
    /// there are none.
    private func preflight(_ request: Request) -> Response? {
        guard request.headers.has("origin"), let (origins, path) = origins(at: request.path) else { return nil }
        guard let origin = origins.named(in: request.headers) else {
            var response = Response(.originNotAllowed)
            response.headers.append(Field("Vary", Self.variesPreflight))
            response.account.route = path
            response.account.shape = RequestShape(request)
            return response
        }
        var response = Response(
            status: 204,
            headers: [
                Field("Access-Control-Allow-Origin", origin),
                Field("Access-Control-Allow-Methods", methods(of: request)),
                Field("Access-Control-Max-Age", String(Self.preflightSeconds)),
                Field("Vary", Self.variesPreflight),
            ])
        if let fields = Self.askedFields(request) {
            response.headers.append(Field("Access-Control-Allow-Headers", fields))
        }
        response.account.route = path
        return response
    }

    /// How long a browser may keep a preflight's answer; Chromium keeps none for longer.
    private static let preflightSeconds = 7200
    private static let variesPreflight = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

    /// What is answered at a preflight's path.
    private func methods(of request: Request) -> String {
        guard case .failure(let refusal) = route(request) else { return "" }
        return refusal.headers.first { $0.name == "Allow" }?.value ?? ""
    }

    /// The fields that the page means to send, which may be any: where a source has its credential is its own choice.
    /// Nil for none, and for what are no names of fields.
    private static func askedFields(_ request: Request) -> String? {
        let lines = request.headers.values(of: "access-control-request-headers")
        let asked = Array(lines.joined(separator: [UInt8(ascii: ",")]))
        guard !asked.isEmpty, asked.count <= 2048,
            asked.allSatisfy({ $0.isLetterOrDigit || "-_.!#$%&'*+^`|~, ".utf8.contains($0) })
        else { return nil }
        return String(decoding: asked, as: UTF8.self)
    }

    /// Nil where no page may read an answer: nothing is added there.
    private func sharing(_ request: Request) -> Sharing? {
        guard hasOrigins, let (origins, _) = origins(at: request.path), !origins.isEmpty else { return nil }
        return Sharing(origin: origins.named(in: request.headers))
    }

    /// Whose pages may ask at a path, and the path as the log may show it; nil where no page may ever.
    private func origins(at path: String) -> (origins: Origins, path: String)? {
        // POST is taken at every entrance.
        guard case .success(.entrance(let entrance, let path)) = route(Request(method: .post, path: path)) else {
            return nil
        }
        guard case .hook(let source) = entrance else { return (clientOrigins, path) }
        return source.origins.isEmpty ? nil : (source.origins, path)
    }
}

/// What lets a page read an answer, an error's too.
private struct Sharing {
    /// Nil for a page that may not, and for what is no page.
    let origin: String?

    func share(_ response: Response) -> Response {
        guard !response.isReset else { return response }
        var response = response
        if let origin {
            response.headers.append(Field("Access-Control-Allow-Origin", origin))
            response.headers.append(
                Field("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Preference-Applied"))
        }
        // For caches: to another origin the same answer goes with another field.
        response.headers.append(Field("Vary", "Origin"))
        return response
    }
}
