package import Relay

/// Everything of a request but its body.
package struct RequestHead: Sendable {
    package let method: Method
    /// As in `Request`.
    package let path: String
    package let query: String
    package let headers: Headers
    /// How long it was on the wire.
    package let bytes: Int
    package let isHTTP10: Bool
    /// The sender means to send more on this connection: what RFC 9112 section 9.3 makes of version and `Connection`.
    package let isPersistent: Bool
    package let expectsContinue: Bool
    let contentCoding: ContentCoding
}

/// What `Content-Encoding` says, which is a hint: cloud queues and libraries put `UTF-8` or `none` there, and gateways
/// leave `gzip` on what they have unpacked.
enum ContentCoding: Sendable {
    /// Nothing, or `identity`.
    case none
    case gzip
    case other
}

/// Where a request's body ends.
enum Framing: Sendable {
    case none
    case sized(Int)
    case chunked
}
