import Relay

/// What is said to bytes that are no request, or none that is taken here.
extension Refusal {
    static func badRequest(_ message: String) -> Refusal {
        Refusal(400, "bad_request", message)
    }

    static let ended = badRequest("The request ended before it was complete.")

    static let timeout = Refusal(408, "request_timeout", "The request did not arrive in time.")

    static func tooLarge(_ message: String) -> Refusal {
        Refusal(413, "payload_too_large", message)
    }

    static let targetTooLong = Refusal(414, "uri_too_long", "The request target is too long.")

    /// RFC 9110 section 15.5.16: a coding that is not understood is answered with those that are.
    static let unsupportedCoding = Refusal(
        415, "unsupported_media_type", "This content coding cannot be read here.",
        headers: [Field("Accept-Encoding", "gzip")])

    static let unknownExpectation = Refusal(417, "expectation_failed", "Only 100-continue can be expected.")

    /// RFC 6585 section 5.
    static func fieldsTooLarge(_ message: String) -> Refusal {
        Refusal(431, "request_header_fields_too_large", message)
    }

    static let unknownMethod = Refusal(501, "not_implemented", "This method is not known here.")

    static let unknownVersion = Refusal(
        505, "http_version_not_supported", "Only HTTP/1.0 and HTTP/1.1 are spoken here.")

    static func tooManyConnections(retryAfter seconds: Int) -> Refusal {
        .unavailable("Too many connections are open.", retryAfter: seconds, cause: "")
    }

    static let overloaded = unavailable(
        "Too much is in flight.", retryAfter: 1, cause: "the limit of bytes in flight is reached")
}
