/// What is kept of one refused request. Never a credential, a signature, a query or a body; texts are short and
/// printable.
package struct RefusedRequest: Sendable {
    /// Ours: what the log has it under.
    package let id: UniqueID
    /// What went back in `X-Request-Id`.
    package let requestID: String
    package let method: Method?
    package let bodyBytes: Int
    /// What the sender was told, and what our log says beside it.
    package let message: String
    package let detail: String
    package let evidence: Evidence
    package let shape: RequestShape
    /// The names of the payload's fields, where no id or no profile was found in it; never a value.
    package let keys: [String]

    init(_ exchange: Exchange, label: ProfileLabel) {
        let account = exchange.account
        id = exchange.id
        requestID = exchange.requestID
        method = exchange.method
        bodyBytes = exchange.requestBodyBytes
        message = account.shown(account.message, label).printable(atMost: 200)
        let cause = account.skips.first.map { account.isRefusal ? account.cause : $0.detail } ?? account.cause
        detail = account.shown(cause, label).printable(atMost: 200)
        var evidence = account.evidence ?? Evidence()
        evidence.keyID = evidence.keyID?.printable(atMost: 64)
        evidence.expectedBytes = Array(evidence.expectedBytes.prefix(8))
        self.evidence = evidence
        shape = account.shape ?? RequestShape()
        keys = account.keys.map { $0.printable(atMost: 64) }
    }
}

/// What a request looked like, in words of ours: what a sender types may be a credential in the wrong place, and is
/// never repeated.
package struct RequestShape: Sendable, Equatable {
    /// One that is known here, or `other`; nil where there was none.
    package private(set) var contentType: String?
    /// Those of its fields that commonly carry a credential or say what the body is.
    package var fields: [String] {
        Self.fieldNames.indices.filter { known & 1 << UInt64($0) != 0 }.map { Self.fieldNames[$0] }
    }
    /// How many others it had.
    package private(set) var otherFields = 0
    /// A bit for each of `fieldNames`: noting one in a flood makes no list.
    private var known: UInt64 = 0

    init() {}

    init(_ request: Request) {
        contentType = request.contentType.map { Self.contentTypes.contains($0) ? $0 : "other" }
        for name in request.headers.names {
            if let place = Self.places[name] { known |= 1 << UInt64(place) }
        }
        otherFields = max(0, request.headers.count - known.nonzeroBitCount)
    }

    private static let contentTypes: Set<String> = [
        "application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "application/octet-stream",
        "application/xml", "multipart/form-data", "text/csv", "text/html", "text/plain", "text/xml",
    ]

    /// At most 64.
    private static let fieldNames = [
        "Authorization", "Proxy-Authorization", "Cookie", "Content-Type", "Content-Encoding", "Expect", "Date",
        "Api-Key", "ApiKey", "X-Api-Key", "X-ApiKey", "X-Api-Token", "X-Access-Token", "X-Auth", "X-Auth-Key",
        "X-Auth-Token", "X-Authorization", "X-Token", "X-Secret", "X-Webhook-Secret", "X-Webhook-Token", "Token",
        "Signature", "Signature-Input", "Content-Digest", "X-Signature", "X-Signature-256", "X-Hub-Signature",
        "X-Hub-Signature-256", "X-Hmac-Signature", "X-Webhook-Signature", "X-Timestamp", "X-Webhook-Timestamp",
        "X-Request-Timestamp", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Svix-Id", "Svix-Timestamp",
        "Svix-Signature", "Adapty-Customer-User-Id", "Adapty-Profile-Id", "Prefer", "Origin", "X-Firebase-AppCheck",
        "X-Forwarded-For", "Forwarded",
    ]

    private static let places = Dictionary(
        uniqueKeysWithValues: fieldNames.prefix(64).enumerated().map { ($1.lowercased(), $0) })
}

extension String {
    /// Cut to so many bytes; what is no printable ASCII becomes `?`, so that it can be shown on any terminal.
    fileprivate func printable(atMost most: Int) -> String {
        if utf8.count <= most, utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return self }
        return String(
            decoding: utf8.prefix(most).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
