/// Answers requests; what a listener is given.
package protocol Responder: Sendable {
    /// Asked before the body of a request with `Expect: 100-continue` is read: a final answer, or nil to let the body
    /// come.
    func answerEarly(_ head: Request) -> Response?
    /// Says why a request is refused that the listener will not hand over, as whoever asks at that path is to be told.
    /// - Parameters:
    ///   - head: without its body, where that was not read.
    ///   - isWhole: whether all of its fields are there; a credential may have stood behind those that are.
    func answer(_ refusal: Refusal, to head: Request, isWhole: Bool) -> Response
    /// Whether bodies at that path may be as long as webhooks are; others are as short as an app's.
    func takesLongBodies(at path: String) -> Bool
    /// Answers, at once where nothing has to be waited for.
    func reply(to request: Request) -> Reply
    func respond(to request: Request) async -> Response
}

extension Responder {
    package func answerEarly(_ head: Request) -> Response? { nil }

    package func answer(_ refusal: Refusal, to head: Request, isWhole: Bool) -> Response { Response(refusal) }

    package func takesLongBodies(at path: String) -> Bool { false }

    package func reply(to request: Request) -> Reply {
        .later { await respond(to: request) }
    }
}

/// An answer, or the work that it takes. Most webhooks say what is known already: those need no task of their own.
package enum Reply: Sendable {
    case now(Response)
    case later(@Sendable () async -> Response)
}

/// Is told of every request that got an answer, also of those that never became one.
package protocol RequestObserver: Sendable {
    func answered(_ exchange: Exchange)
    /// A connection was ended before it could ask, or while it asked nothing.
    func shed(_ peer: PeerAddress, _ reason: Shedding)
}

extension RequestObserver {
    package func shed(_ peer: PeerAddress, _ reason: Shedding) {}
}

/// Why a connection was ended that had done nothing wrong yet; as the metrics name it.
package enum Shedding: String, Sendable {
    /// As many are open as may be, and all of them are busy.
    case full
    /// The address has as many open as one may.
    case perAddress = "per_ip"
    /// It asked nothing, and made room for one that may.
    case idle
    /// It did not begin with the PROXY header that this peer's connections must begin with.
    case proxyHeader = "proxy_header"
}

/// One request and its answer, as the log and the metrics see it.
package struct Exchange: Sendable {
    /// Nil where the bytes were no request.
    package let method: Method?
    /// Ours: what `id` in the answer and in the outbox is.
    package let id: UniqueID
    /// The caller's own id of the request, which went back in `X-Request-Id`; nil where ours did.
    package let callersID: String?
    package let peer: PeerAddress
    package let requestBodyBytes: Int
    package let status: Int
    package let responseBodyBytes: Int
    package let account: Account
    /// From the first byte of the request to its last.
    package let receiveDuration: Duration
    /// From its last byte to the answer.
    package let handleDuration: Duration
    /// Nil where the request came without TLS.
    package var tls: TLSUse?

    package init(
        method: Method?, id: UniqueID, callersID: String?, peer: PeerAddress, requestBodyBytes: Int, status: Int,
        responseBodyBytes: Int, account: Account, receiveDuration: Duration, handleDuration: Duration
    ) {
        self.method = method
        self.id = id
        self.callersID = callersID
        self.peer = peer
        self.requestBodyBytes = requestBodyBytes
        self.status = status
        self.responseBodyBytes = responseBodyBytes
        self.account = account
        self.receiveDuration = receiveDuration
        self.handleDuration = handleDuration
    }

    /// What went back in `X-Request-Id`.
    package var requestID: String { callersID ?? id.description }
}

/// How a request was protected on its way here, as far as the log says it.
package struct TLSUse: Sendable, Equatable {
    /// `TLSv1.3`
    package let version: String
    /// The client certificate's common name, or else its fingerprint; nil where none was asked for.
    package let client: String?

    package init(version: String, client: String?) {
        self.version = version
        self.client = client
    }
}
