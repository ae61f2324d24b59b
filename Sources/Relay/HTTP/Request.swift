/// One HTTP request, whole: framing is gone, the body is decoded, nothing in it has been believed yet.
///
/// What is large stands behind one reference: every stage holds the request, and so do the tasks that wait for it.
package struct Request: Sendable {
    package var method: Method
    /// Ours, made when the request was read; what `id` in answers and the outbox means.
    package var id: UniqueID
    package var received: Timestamp
    /// A caller waits for Adapty's answer to this request.
    package var isAwaited = false
    private var content: Content

    package init(
        method: Method, path: String, query: String = "", headers: Headers = Headers([]), body: [UInt8] = [],
        compressedBody: [UInt8]? = nil, peer: PeerAddress = .loopback, id: UniqueID = .v7(at: .now),
        received: Timestamp = .now
    ) {
        self.method = method
        self.id = id
        self.received = received
        content = Content(path, query, headers, body, compressedBody, peer)
    }

    /// Never changed, only replaced: a request is changed once or twice, and copied ten times.
    private final class Content: Sendable {
        let path: String
        let query: String
        let headers: Headers
        let body: [UInt8]
        let compressedBody: [UInt8]?
        let peer: PeerAddress

        init(
            _ path: String, _ query: String, _ headers: Headers, _ body: [UInt8], _ compressedBody: [UInt8]?,
            _ peer: PeerAddress
        ) {
            self.path = path
            self.query = query
            self.headers = headers
            self.body = body
            self.compressedBody = compressedBody
            self.peer = peer
        }

        func with(
            path: String? = nil, query: String? = nil, headers: Headers? = nil, body: [UInt8]? = nil,
            compressedBody: [UInt8]?? = nil, peer: PeerAddress? = nil
        ) -> Content {
            Content(
                path ?? self.path, query ?? self.query, headers ?? self.headers, body ?? self.body,
                compressedBody ?? self.compressedBody, peer ?? self.peer)
        }
    }
}

extension Request {
    /// The path as sent: begins with `/`, no query, not percent-decoded.
    package var path: String {
        get { content.path }
        set { content = content.with(path: newValue) }
    }

    /// What stands behind `?`, not decoded. May hold a credential: never logged.
    package var query: String {
        get { content.query }
        set { content = content.with(query: newValue) }
    }

    package var headers: Headers {
        get { content.headers }
        set { content = content.with(headers: newValue) }
    }

    package var body: [UInt8] {
        get { content.body }
        set { content = content.with(body: newValue) }
    }

    /// The body as it was sent, where that was compressed: what a signature is made over. Nobody else needs it.
    package var compressedBody: [UInt8]? {
        get { content.compressedBody }
        set { content = content.with(compressedBody: .some(newValue)) }
    }

    /// Who is at the other end of the connection.
    package var peer: PeerAddress {
        get { content.peer }
        set { content = content.with(peer: newValue) }
    }

    /// The body's bytes as they were on the wire.
    package var sentBody: [UInt8] { compressedBody ?? body }

    /// The caller's own id of the request, if it sent a sane one. It goes back in `X-Request-Id`; without it ours does.
    package var callersID: String? {
        guard let theirs = headers.value(of: "x-request-id"), (1...128).contains(theirs.count),
            theirs.allSatisfy({ $0.isLetterOrDigit || "-_.".utf8.contains($0) })
        else { return nil }
        return String(decoding: theirs, as: UTF8.self)
    }

    /// What goes back in `X-Request-Id`.
    package var requestID: String { callersID ?? id.description }

    /// The content type without parameters, in lower case; nil where none was sent.
    package var contentType: String? {
        guard var type = headers.value(of: "content-type")?.prefix(while: { $0 != UInt8(ascii: ";") }) else {
            return nil
        }
        while let last = type.last, last.isBlank { type.removeLast() }
        return String(decoding: type.map(\.lowercased), as: UTF8.self)
    }
}

/// A request method: the registered ones Patchbay has a word for. Anything else never leaves the reader.
package enum Method: String, Sendable, CaseIterable, CustomStringConvertible {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case patch = "PATCH"
    case options = "OPTIONS"
    // Nothing answers these two; known, they are told what does, and not that this server lacks something (501).
    case trace = "TRACE"
    case query = "QUERY"

    package var description: String { rawValue }
}

/// An address as text, without the port: `203.0.113.9` or `2001:db8::1`.
package struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
    package let description: String
    /// The same as a number, read once for all requests of a connection; nil for what is none.
    package let address: IPAddress?
    /// It is a proxy of ours, which did not say whom it speaks for: many callers stand behind it.
    package let isProxy: Bool

    package init(_ text: String, isProxy: Bool = false) {
        description = text
        address = IPAddress(text)
        self.isProxy = isProxy
    }

    package init(_ address: IPAddress, isProxy: Bool = false) {
        description = address.description
        self.address = address
        self.isProxy = isProxy
    }

    private init(_ other: PeerAddress, isProxy: Bool) {
        description = other.description
        address = other.address
        self.isProxy = isProxy
    }

    /// The same address, of a proxy of ours that did not say whom it speaks for.
    package var asProxy: PeerAddress { PeerAddress(self, isProxy: true) }

    package static let loopback = PeerAddress("127.0.0.1")
}
