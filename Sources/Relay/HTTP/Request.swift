/// One HTTP request, whole: framing is gone, the body is decoded, nothing in it has been believed yet.
package struct Request: Sendable {
    package var method: Method
    /// The path as sent: begins with `/`, no query, not percent-decoded.
    package var path: String
    /// What stands behind `?`, not decoded. May hold a credential: never logged.
    package var query: String
    package var headers: Headers
    package var body: [UInt8]
    /// The body as it was sent, where that was compressed: what a signature is made over. Nobody else needs it.
    package var compressedBody: [UInt8]?
    /// Who is at the other end of the connection.
    package var peer: PeerAddress
    /// Ours, made when the request was read; what `id` in answers and the outbox means.
    package var id: UniqueID
    package var received: Timestamp
    /// A caller waits for Adapty's answer to this request.
    package var isAwaited = false

    package init(
        method: Method, path: String, query: String = "", headers: Headers = Headers([]), body: [UInt8] = [],
        peer: PeerAddress = .loopback, id: UniqueID = .v7(at: .now), received: Timestamp = .now
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        self.id = id
        self.received = received
    }

    /// The body's bytes as they were on the wire.
    package var sentBody: [UInt8] { compressedBody ?? body }

    /// What goes back in `X-Request-Id`: the caller's if it is sane, else ours.
    package var requestID: String {
        guard let theirs = headers["x-request-id"], (1...128).contains(theirs.utf8.count),
            theirs.utf8.allSatisfy({ $0.isLetterOrDigit || "-_.".utf8.contains($0) })
        else { return id.description }
        return theirs
    }

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
    /// It is a proxy of ours, which did not say whom it speaks for: many callers stand behind it.
    package let isProxy: Bool

    package init(_ text: String, isProxy: Bool = false) {
        description = text
        self.isProxy = isProxy
    }

    package static let loopback = PeerAddress("127.0.0.1")
}
