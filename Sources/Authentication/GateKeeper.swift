import Crypto
package import Relay

/// Knows who may come through which door: a hook asks for what its source is configured to prove, a client route for a
/// client key.
package struct GateKeeper: Authenticator {
    /// A source's scheme, and which of its secrets are used: made together, so that a request costs one look-up.
    private final class Gate: Sendable {
        let scheme: any Scheme
        let uses: SecretUses

        init(_ scheme: any Scheme, of source: String) {
            self.scheme = scheme
            uses = SecretUses(of: .source, source, count: scheme.secretCount)
        }
    }

    private let gates: [String: Gate]
    private let clientKeys: ClientKeys
    private let clientUses: [String: SecretUses]

    /// - Parameter schemes: by the source's name. A source without one is refused: nobody comes in by omission.
    package init(schemes: [String: any Scheme], clientKeys: ClientKeys) {
        gates = Dictionary(uniqueKeysWithValues: schemes.map { ($0, Gate($1, of: $0)) })
        self.clientKeys = clientKeys
        clientUses = Dictionary(
            uniqueKeysWithValues: clientKeys.secretCounts.map { ($0, SecretUses(of: .clientKey, $0, count: $1)) })
    }

    package func authenticate(_ received: inout Received) throws(Refusal) -> Caller {
        do {
            let (caller, uses) = try caller(of: &received) { $0.verify(&$1, &$2) }
            if let place = received.proof.place { uses?.count(place) }
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
        try caller(of: &head) { scheme, request, _ in scheme.recognize(&request) }.caller
    }

    /// - Returns: also where it is counted which of its secrets was used.
    private func caller(
        of received: inout Received, judging: (any Scheme, inout Request, inout Proof) -> Verdict
    ) throws(Refusal) -> (caller: Caller, uses: SecretUses?) {
        switch received.entrance {
        case .hook(let source):
            guard let gate = gates[source.name] else { throw .unauthorized(cause: "no_scheme") }
            switch judging(gate.scheme, &received.request, &received.proof) {
            case .genuine: return (.source(source), gate.uses)
            case .refused(let reason, let evidence):
                var refusal = Refusal.unauthorized(cause: reason.rawValue, challenge: gate.scheme.challenge)
                refusal.evidence = evidence
                throw refusal
            }
        case .client, .dropIn:
            let client = try clientKeys.client(of: received.request, &received.proof)
            return (.client(client), clientUses[client.name])
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
