/// A request whose sender is known.
package struct Authenticated: Sendable {
    package let received: Received
    package let caller: Caller

    init(
        _ received: consuming Received, by authenticator: any Authenticator, within limiter: any Limiter
    ) throws(Refusal) {
        caller = try limiter.judging(&received) { received throws(Refusal) in
            try authenticator.authenticate(&received)
        }
        try caller.mayCome()
        try caller.mayCome(from: received.request)
        self.received = received
    }

    /// A head of which no more is asked than whether its body is welcome.
    init(
        head: consuming Received, by authenticator: any Authenticator, within limiter: any Limiter
    ) throws(Refusal) {
        caller = try limiter.judging(&head) { head throws(Refusal) in try authenticator.recognize(&head) }
        try caller.mayCome()
        try caller.mayCome(from: head.request)
        self.received = head
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

    /// - Throws: 503 where the configuration says that nothing is taken of this caller for now. Asked when it has
    ///   proved who it is: a stranger does not learn of it.
    func mayCome() throws(Refusal) {
        let (isEnabled, what) =
            switch self {
            case .source(let source): (source.isEnabled, "source")
            case .client(let key): (key.isEnabled, "client key")
            }
        guard isEnabled else { throw .disabled("This \(what) is disabled for now.").of(self) }
    }

    /// - Throws: 403 for a page of an origin that this caller's credential is not for. What is no browser names none.
    func mayCome(from request: Request) throws(Refusal) {
        let isAllowed =
            switch self {
            // Vendors' servers may write there what they like.
            case .source(let source): source.origins.isEmpty || source.origins.admit(request.headers)
            case .client(let key): key.origins.admit(request.headers)
            }
        guard isAllowed else { throw .originNotAllowed.of(self) }
    }

    /// The only profile that this caller may name; nil for any.
    var subject: Subject? {
        if case .client(let key) = self { key.subject } else { nil }
    }

    /// - Throws: 403 where the caller has a subject and names somebody else.
    func mayName(_ profile: ProfileReference) throws(Refusal) {
        guard subject?.isMeant(by: profile) ?? true else {
            throw .forbidden("This token speaks for another profile.")
        }
    }
}

/// What a client app carries instead of the secret key: limited, revocable. This is what it may do, not its secret.
package struct ClientKey: Sendable, Hashable {
    package enum Scope: String, Sendable, CaseIterable {
        case write, read
    }

    package let name: String
    package let app: String
    package let scopes: Set<Scope>
    /// The only profile that it may name; nil for any.
    package let subject: Subject?
    /// False for one that is kept in the configuration, and of which nothing is taken for now.
    package let isEnabled: Bool
    /// The web pages that may use it, where any may.
    package let origins: Origins

    package init(
        name: String, app: String, scopes: Set<Scope>, subject: Subject? = nil, isEnabled: Bool = true,
        origins: Origins = .none
    ) {
        self.name = name
        self.app = app
        self.scopes = scopes
        self.subject = subject
        self.isEnabled = isEnabled
        self.origins = origins
    }
}

/// One profile, under one or both of the names that it can have.
package struct Subject: Sendable, Hashable {
    private let references: [ProfileReference]

    /// - Parameter references: of the same profile; the first is whom a request is about that names nobody.
    package init(_ first: ProfileReference, _ others: ProfileReference...) {
        references = [first] + others
    }

    package var reference: ProfileReference { references[0] }

    /// Whether a reference is known to mean this profile. One of the kind that is not known here is not.
    package func isMeant(by reference: ProfileReference) -> Bool { references.contains(reference) }
}

/// Tells who sent a request. Fails closed: what cannot be told is refused with 401.
package protocol Authenticator: Sendable {
    /// Takes the credential out of the request's query and path: no stage behind this one sees it. What it proves
    /// beside the caller is left in `proof`.
    func authenticate(_ received: inout Received) throws(Refusal) -> Caller
    /// Tells it from the head alone, before the body is there. Who signs the body is taken for who they say they are;
    /// nothing is spent or stored on their word.
    func recognize(_ head: inout Received) throws(Refusal) -> Caller
}

extension Authenticator {
    package func recognize(_ head: inout Received) throws(Refusal) -> Caller { try authenticate(&head) }
}
