/// Why a request is not accepted, as its sender is told and as the log keeps it: two fields, because the raw cause is
/// ours.
package struct Refusal: Error, Sendable, Equatable {
    /// The HTTP status.
    package let status: Int
    /// `error_code` of the body: Adapty's words where Adapty has one, ours elsewhere.
    package let code: String
    /// One sentence for the sender. Says nothing that helps a stranger.
    package let message: String
    /// What the log says beside it; empty where the message says it all.
    package var cause: String
    /// Fields of the answer, such as `Retry-After` and `Allow`.
    package var headers: [Field]
    /// What was seen of a credential that was not believed; for whoever looks for a wrong secret.
    package var evidence: Evidence?
    /// Who is refused, once that is known; for the log and the metrics.
    package private(set) var caller: Caller?

    package init(_ status: Int, _ code: String, _ message: String, cause: String = "", headers: [Field] = []) {
        self.status = status
        self.code = code
        self.message = message
        self.cause = cause
        self.headers = headers
    }

    /// The same, of somebody who is known.
    package func of(_ caller: Caller) -> Refusal {
        var refusal = self
        refusal.caller = caller
        return refusal
    }

    /// `{"errors":["..."],"error_code":"...","status_code":N}`
    package var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.array("errors") { $0.element(message) }
            json.field("error_code", code)
            json.field("status_code", status)
        }
        return json.bytes
    }
}

/// What was seen of a request whose sender was not believed: enough to find a wrong secret at a vendor, nothing that
/// helps to make a right one. Never the credential, a signature or the body.
package struct Evidence: Sendable, Equatable {
    /// The name of the key that the sender says it used, if its scheme has such names.
    package var keyID: String?
    /// How long what was presented is, and how long each of what would be accepted.
    package var presentedBytes: Int?
    package var expectedBytes: [Int] = []
    /// How far the sender's time is from ours; positive where it is ahead.
    package var skew: Duration?
    /// How far it may be.
    package var tolerance: Duration?
    /// SHA-256 of the body, the first 16 digits: the sender can compute it of what it sent.
    package var bodyDigest: String?

    package init() {}
}

extension Refusal: CustomStringConvertible {
    /// For the log; the sender is told the message alone.
    package var description: String { "\(status) \(code): \(message)" + (cause.isEmpty ? "" : " (\(cause))") }
}

extension Refusal {
    package static func unauthorized(cause: String) -> Refusal {
        Refusal(401, "unauthorized", "Invalid API key", cause: cause)
    }

    package static func forbidden(_ message: String) -> Refusal {
        Refusal(403, "forbidden", message)
    }

    package static func malformedBody(_ message: String) -> Refusal {
        Refusal(400, "malformed_body", message)
    }

    package static func invalid(_ message: String) -> Refusal {
        Refusal(400, "validation_error", message)
    }

    /// Adapty's own sentence for a patch that sets nothing.
    package static let nothingToSet = Refusal(
        400, "validation_error", "At least one integration identifier must be provided.")

    package static let noProfile = Refusal(
        400, "validation_error", "Either adapty-customer-user-id or adapty-profile-id is required.")

    package static let notFound = Refusal(404, "not_found", "There is nothing here.")

    package static func methodNotAllowed(_ allowed: [Method]) -> Refusal {
        Refusal(
            405, "method_not_allowed", "This method is not allowed here.",
            headers: [Field("Allow", allowed.map(\.description).joined(separator: ", "))])
    }

    package static let unsupportedMediaType = Refusal(
        415, "unsupported_media_type", "This content type cannot be read here.")

    /// Our own fault. Always 503 with `Retry-After`, never 4xx: vendors drop an event on 4xx.
    package static func unavailable(_ message: String, retryAfter seconds: Int, cause: String) -> Refusal {
        Refusal(503, "unavailable", message, cause: cause, headers: [Field("Retry-After", String(seconds))])
    }

    /// The cause of what is refused because the configuration says `enabled: false`.
    static let disabledCause = "disabled"

    /// The cause of 401 where no credential was found.
    static let noCredentialCause = "no_credential"

    static func disabled(_ message: String) -> Refusal {
        .unavailable(message, retryAfter: 60, cause: disabledCause)
    }

    /// Why what was sent can never be taken, however often it comes. Nil where another time may do (408, 429, 503), and
    /// where it is not about what was sent (401, 403, 404).
    package var skipReason: Skip.Reason? {
        switch status {
        case 400, 415, 417, 505: .unreadable
        case 413, 414, 431: .tooLarge
        case 405, 501: .wrongMethod
        default: nil
        }
    }

    init(_ failure: OutboxFailure) {
        switch failure {
        case .full(let cause):
            self = .unavailable("The outbox is full.", retryAfter: 30, cause: cause)
        case .unavailable(let cause):
            self = .unavailable("The outbox cannot be written.", retryAfter: 10, cause: cause)
        case .closed:
            self = .unavailable("This node is stopping.", retryAfter: 1, cause: "outbox closed")
        }
    }
}
