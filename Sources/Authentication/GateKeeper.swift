import Crypto
package import Relay

/// Knows who may come through which door: a hook asks for what its source is configured to prove, a client route for a
/// client key.
package struct GateKeeper: Authenticator {
    private let schemes: [String: any Scheme]
    private let clientKeys: ClientKeys
    /// Made with the schemes, so that a request costs an addition and no look for a metric.
    private let sourceUses: [String: SecretUses]
    private let clientUses: [String: SecretUses]

    /// - Parameter schemes: by the source's name. A source without one is refused: nobody comes in by omission.
    package init(schemes: [String: any Scheme], clientKeys: ClientKeys) {
        self.schemes = schemes
        self.clientKeys = clientKeys
        sourceUses = Dictionary(
            uniqueKeysWithValues: schemes.map { ($0, SecretUses(of: .source, $0, count: $1.secretCount)) })
        clientUses = Dictionary(
            uniqueKeysWithValues: clientKeys.secretCounts.map { ($0, SecretUses(of: .clientKey, $0, count: $1)) })
    }

    package func authenticate(_ received: inout Received) throws(Refusal) -> Caller {
        do {
            let caller = try caller(of: &received) { $0.verify(&$1, &$2) }
            count(received.proof, of: caller)
            // Kept for signatures alone, and not small.
            if received.request.compressedBody != nil { received.request.compressedBody = nil }
            return caller
        } catch {
            var refusal = error
            let digest = SHA256.digest(of: received.request.sentBody[...])
            refusal.evidence?.bodyDigest = digest.prefix(8).hexText
            throw refusal
        }
    }

    package func recognize(_ head: inout Received) throws(Refusal) -> Caller {
        try caller(of: &head) { scheme, request, _ in scheme.recognize(&request) }
    }

    private func caller(
        of received: inout Received, judging: (any Scheme, inout Request, inout Proof) -> Verdict
    ) throws(Refusal) -> Caller {
        switch received.entrance {
        case .hook(let source):
            guard let scheme = schemes[source.name] else { throw .unauthorized(cause: "no_scheme") }
            switch judging(scheme, &received.request, &received.proof) {
            case .genuine: return .source(source)
            case .refused(let reason, let evidence):
                var refusal = Refusal.unauthorized(cause: reason.rawValue, challenge: scheme.challenge)
                refusal.evidence = evidence
                throw refusal
            }
        case .client, .dropIn:
            return .client(try clientKeys.client(of: received.request, &received.proof))
        }
    }

    private func count(_ proof: Proof, of caller: Caller) {
        guard let place = proof.place else { return }
        switch caller {
        case .source(let source): sourceUses[source.name]?.count(place)
        case .client(let key): clientUses[key.name]?.count(place)
        }
    }
}

extension Refusal {
    /// 401 with what RFC 9110 section 15.5.2 asks for: a challenge that says what would be accepted.
    static func unauthorized(cause: String, challenge: String) -> Refusal {
        var refusal = Refusal.unauthorized(cause: cause)
        refusal.headers.append(Field("WWW-Authenticate", challenge))
        return refusal
    }
}
