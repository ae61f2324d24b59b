package import Relay

/// A stand-in for Adapty's API, true to its documents: keys, profiles, both versions, its answers and its errors. It
/// keeps what it was sent in memory and shows it, so that a test or a newcomer can see what would have arrived.
package struct Sandbox: Responder {
    private let settings: SandboxSettings
    private let profiles: SandboxProfiles
    private let clock: any Clock<Duration>

    package init(settings: SandboxSettings, clock: any Clock<Duration>) {
        self.settings = settings
        self.clock = clock
        profiles = SandboxProfiles(known: settings.profiles, isOpen: settings.acceptsAnyProfile)
    }

    package func respond(to request: Request) async -> Response {
        if request.path == Self.overviewPath { return overview(request) }
        if request.path.hasPrefix(Self.overviewPath + "/") { return create(request) }
        profiles.countRequest()
        if let fault = settings.faults.draw() {
            if let delay = fault.delay { try? await clock.sleep(for: delay) }
            if let response = fault.response { return response }
        }
        var response: Response
        switch request.path {
        case Self.path(.v2): response = answer(request, .v2)
        case Self.path(.v1): response = answer(request, .v1)
        // Another path is not the API: what a web server in front says, which is not JSON.
        default: response = Response(status: 404, headers: [Field("Content-Type", "text/html")], body: Self.notFound)
        }
        response.headers.append(Field("Request-Id", request.id.description))
        return response
    }

    /// What has arrived so far, without a request; for `patchbay demo`.
    package var contents: [SandboxProfile] { profiles.all }
    package var requestCount: Int { profiles.requestCount }

    private func answer(_ request: Request, _ version: APIVersion) -> Response {
        guard isAuthorized(request) else { return .error(401, "unauthorized", ["Invalid API key"]) }
        switch profile(of: request) {
        case .failure(let response): return response.response
        case .success(let profile):
            switch request.method {
            case .get where version == .v2:
                guard let identifiers = profiles.identifiers(of: profile) else { return .profileNotFound }
                return .json(200, identifiers.jsonWithAllKeys)
            case .post:
                return set(request, profile, version)
            default:
                return .error(405, "method_not_allowed", ["Method \"\(request.method)\" not allowed."])
            }
        }
    }

    private func set(_ request: Request, _ profile: ProfileReference, _ version: APIVersion) -> Response {
        guard request.contentType == "application/json" else {
            return .error(415, "unsupported_media_type", ["Unsupported media type in request."])
        }
        switch SandboxBody.read(request.body, version) {
        case .malformed:
            return .error(400, "parse_error", ["JSON parse error"])
        case .invalid(let fields):
            return .error(400, "validation_error", sources: fields.map { ($0, ["Not a valid string."]) })
        case .identifiers(let identifiers):
            guard !identifiers.isEmpty else { return Response(.nothingToSet) }
            guard profiles.set(identifiers, of: profile, at: request.received) else { return .profileNotFound }
            switch version {
            case .v2: return Response(status: 200)
            case .v1: return .json(200, SandboxBody.profileResponse(profile, at: request.received))
            }
        }
    }

    private func isAuthorized(_ request: Request) -> Bool {
        guard case .present(let value) = request.headers.single("authorization"),
            let presented = value.behind("Api-Key ")
        else { return false }
        return settings.keys.contains { key in key.reveal { presented == $0[...] } }
    }

    private struct Rejection: Error {
        let response: Response
    }

    /// Exactly one of the two headers names the profile.
    private func profile(of request: Request) -> Result<ProfileReference, Rejection> {
        let (profileID, userID) = (request.headers["adapty-profile-id"], request.headers["adapty-customer-user-id"])
        switch (profileID, userID) {
        case (let id?, nil):
            guard let profile = ProfileReference.profileID(id) else {
                let problem = [("adapty-profile-id", ["Must be a valid UUID."])]
                return .failure(Rejection(response: .error(400, "validation_error", sources: problem)))
            }
            return .success(profile)
        case (nil, let id?):
            guard let profile = ProfileReference.customerUserID(id) else {
                return .failure(Rejection(response: Response(.noProfile)))
            }
            return .success(profile)
        default:
            return .failure(Rejection(response: Response(.noProfile)))
        }
    }

    private func overview(_ request: Request) -> Response {
        guard request.method == .get else { return Response(.methodNotAllowed([.get])) }
        var json = JSONText(reserving: 4096)
        json.object { json in
            json.field("requests", profiles.requestCount)
            json.array("profiles") { json in
                for profile in profiles.all { json.object { profile.write(to: &$0) } }
            }
        }
        return .json(200, json.bytes)
    }

    /// `PUT /_sandbox/profiles/{id}`: from now on the profile exists.
    private func create(_ request: Request) -> Response {
        guard request.method == .put else { return Response(.methodNotAllowed([.put])) }
        let id = request.path.dropFirst(Self.overviewPath.count + 1)
        guard let profile = ProfileReference.profileID(id) ?? ProfileReference.customerUserID(id) else {
            return Response(.noProfile)
        }
        profiles.create(profile)
        return Response(status: 204)
    }

    private static let overviewPath = "/_sandbox/profiles"
    private static let notFound = Array("<!doctype html><title>404</title><h1>Not Found</h1>\n".utf8)

    private static func path(_ version: APIVersion) -> String {
        "/api/\(version.rawValue)/server-side-api/integration/profile/set/integration-identifiers/"
    }
}

extension Response {
    /// The form of the samples: `errors` is a list of strings.
    fileprivate static func error(_ status: Int, _ code: String, _ errors: [String]) -> Response {
        var json = JSONText()
        json.object { json in
            json.array("errors") { json in for error in errors { json.element(error) } }
            json.field("error_code", code)
            json.field("status_code", status)
        }
        return .json(status, json.bytes)
    }

    /// The form of the schema: `errors` is a list of `{"source","errors"}`.
    fileprivate static func error(_ status: Int, _ code: String, sources: [(String, [String])]) -> Response {
        var json = JSONText()
        json.object { json in
            json.array("errors") { json in
                for (source, errors) in sources {
                    json.object { json in
                        json.field("source", source)
                        json.array("errors") { json in for error in errors { json.element(error) } }
                    }
                }
            }
            json.field("error_code", code)
            json.field("status_code", status)
        }
        return .json(status, json.bytes)
    }

    fileprivate static var profileNotFound: Response {
        .error(404, "profile_not_found", ["Profile not found"])
    }
}
