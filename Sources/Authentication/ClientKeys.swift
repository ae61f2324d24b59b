import Crypto
package import Relay

/// What client apps carry: `Authorization: Api-Key <key>`, as Adapty's own clients write it, or `Bearer <key>`.
package struct ClientKeys: Sendable {
    /// By digest: how long a look-up takes may tell something of a digest, and from a digest no key can be found.
    private let clients: [SHA256Digest: ClientKey]

    /// - Parameter keys: each client key with its secrets; more than one while they are being rotated. A secret that
    ///   two client keys share speaks for the first: the configuration does not let it come to that.
    package init(_ keys: [(client: ClientKey, secrets: [Secret])]) {
        var clients: [SHA256Digest: ClientKey] = [:]
        for (client, secrets) in keys {
            for secret in secrets where !secret.isEmpty {
                let digest = secret.reveal { SHA256.digest(of: $0[...]) }
                if clients[digest] == nil { clients[digest] = client }
            }
        }
        self.clients = clients
    }

    /// The client that sent a request, if its key is known and may do what it asks: POST writes, GET reads.
    func client(of request: Request) throws(Refusal) -> ClientKey {
        guard let value = request.headers.value(of: "authorization") else {
            throw .unauthorized(cause: "no_credential", challenge: Self.challenge)
        }
        guard let key = (value.behind("Api-Key ") ?? value.behind("Bearer "))?.drop(while: \.isBlank), !key.isEmpty
        else {
            throw .unauthorized(cause: "malformed_credential", challenge: Self.challenge)
        }
        guard let client = clients[SHA256.digest(of: key)] else {
            throw .unauthorized(cause: "unknown_key", challenge: Self.challenge)
        }
        let scope: ClientKey.Scope = request.method == .get || request.method == .head ? .read : .write
        guard client.scopes.contains(scope) else {
            throw .forbidden("This API key may not \(scope.rawValue).")
        }
        return client
    }

    private static let challenge = "Api-Key, Bearer"
}
