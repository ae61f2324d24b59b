/// A request whose sender is known.
package struct Authenticated: Sendable {
    package let received: Received
    package let caller: Caller

    init(_ received: Received, by authenticator: any Authenticator) throws(Refusal) {
        var received = received
        self.caller = try authenticator.authenticate(&received)
        self.received = received
    }
}

/// Who sent a request, and for which app it may speak.
package enum Caller: Sendable, Equatable {
    case source(Source)
    case client(ClientKey)

    /// The app whose profiles this caller may write.
    package var app: String {
        switch self {
        case .source(let source): source.app
        case .client(let key): key.app
        }
    }

    /// The configured name, for logs and metrics. Never the credential.
    package var name: String {
        switch self {
        case .source(let source): source.name
        case .client(let key): key.name
        }
    }
}

/// What a client app carries instead of the secret key: limited, revocable. This is its configuration, not its secret.
package struct ClientKey: Sendable, Hashable {
    package enum Scope: String, Sendable, CaseIterable {
        case write, read
    }

    package let name: String
    package let app: String
    package let scopes: Set<Scope>

    package init(name: String, app: String, scopes: Set<Scope>) {
        self.name = name
        self.app = app
        self.scopes = scopes
    }
}

/// Tells who sent a request. Fails closed: what cannot be told is refused with 401.
package protocol Authenticator: Sendable {
    /// Takes the credential out of the request's query: no stage behind this one sees it.
    func authenticate(_ received: inout Received) throws(Refusal) -> Caller
}
