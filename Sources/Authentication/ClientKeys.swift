import Crypto
package import Relay

/// What client apps carry: `Authorization: Api-Key <key>`, as Adapty's own clients write it, or `Bearer <key>`; or
/// `Bearer <token>`, a token that speaks for one profile.
package struct ClientKeys: Sendable {
    /// By digest: how long a look-up takes may tell something of a digest, and from a digest no key can be found.
    private let clients: [SHA256Digest: (client: ClientKey, place: Int)]
    /// How many secrets each client key has, by its name.
    let secretCounts: [String: Int]
    /// What would be accepted, for whoever looks for a wrong key: each length once, however many keys there are.
    private let expectation: Evidence
    private let tokens: ProfileTokens?
    private let tokenApps: Set<String>
    private let appChecks: [String: AppCheck]

    /// - Parameters:
    ///   - keys: each client key with its secrets; more than one while they are being rotated. A secret that two client
    ///     keys share speaks for the first: the configuration does not let it come to that.
    ///   - tokens: nil where none are believed.
    ///   - tokenApps: the apps of which no client key is accepted, only tokens.
    ///   - appChecks: by the client key's name, what must be proved beside it; none for most.
    package init(
        _ keys: [(client: ClientKey, secrets: [Secret])], tokens: ProfileTokens? = nil, tokenApps: Set<String> = [],
        appChecks: [String: AppCheck] = [:]
    ) {
        self.tokens = tokens
        self.appChecks = appChecks
        self.tokenApps = tokenApps
        var clients: [SHA256Digest: (client: ClientKey, place: Int)] = [:]
        var lengths: Set<Int> = []
        for (client, secrets) in keys {
            for (index, secret) in secrets.enumerated() where !secret.isEmpty {
                let digest = secret.reveal { SHA256.digest(of: $0[...]) }
                if clients[digest] == nil { clients[digest] = (client, index + 1) }
                if !tokenApps.contains(client.app) { lengths.insert(secret.reveal(\.count)) }
            }
        }
        self.clients = clients
        secretCounts = Dictionary(keys.map { ($0.client.name, $0.secrets.count) }) { first, _ in first }
        var expectation = Evidence()
        expectation.expectedBytes = lengths.sorted()
        self.expectation = expectation
    }

    /// The client that sent a request, if its key is known or its token is believed, and it may do what it asks: POST
    /// writes, GET reads.
    func client(of request: Request, _ proof: inout Proof) throws(Refusal) -> ClientKey {
        let credential = request.headers.single("authorization")
        if case .absent = credential { throw .unauthorized(cause: "no_credential", challenge: Self.challenge) }
        guard case .present(let value) = credential else {
            throw .unauthorized(cause: "malformed_credential", challenge: Self.challenge)
        }
        let bearer = value.behind("Bearer ")
        guard let key = bearer ?? value.behind("Api-Key "), !key.isEmpty else {
            throw .unauthorized(cause: "malformed_credential", challenge: Self.challenge)
        }
        let client = try client(key, isBearer: bearer != nil, &proof)
        // A name is a client key's or an issuer's, never both.
        if let appCheck = appChecks[client.name] {
            do {
                try appCheck.check(request, challenge: Self.challenge)
            } catch {
                throw error.of(.client(client))
            }
        }
        let scope: ClientKey.Scope = request.method == .get || request.method == .head ? .read : .write
        guard client.scopes.contains(scope) else {
            var refusal = Refusal.forbidden("This API key may not \(scope.rawValue).")
            refusal.cause = "missing_scope"
            throw refusal.of(.client(client))
        }
        return client
    }

    private func client(
        _ key: ArraySlice<UInt8>, isBearer: Bool, _ proof: inout Proof
    ) throws(Refusal) -> ClientKey {
        if let (client, place) = clients[SHA256.digest(of: key)] {
            guard !tokenApps.contains(client.app) else {
                throw .unauthorized(cause: "profile_token_required", challenge: Self.challenge)
            }
            proof.place = place
            return client
        }
        guard isBearer, let tokens, PresentedToken.isLike(key) else {
            var evidence = expectation
            evidence.presentedBytes = key.count
            throw Self.unbelieved("unknown_key", evidence)
        }
        do throws(TokenVerifier.Unbelieved) {
            return try tokens.client(key)
        } catch {
            switch error {
            case .flawed(let flaw):
                throw Self.unbelieved(flaw.reason.rawValue, flaw.evidence)
            case .noKeysYet:
                throw .unavailable("Tokens cannot be checked yet.", retryAfter: 15, cause: "no_token_keys")
            }
        }
    }

    private static func unbelieved(_ cause: String, _ evidence: Evidence) -> Refusal {
        var refusal = Refusal.unauthorized(cause: cause, challenge: challenge)
        refusal.evidence = evidence
        return refusal
    }

    private static let challenge = "Api-Key, Bearer"
}
