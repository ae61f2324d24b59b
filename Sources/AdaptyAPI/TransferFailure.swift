import CCurl

/// Why there is no answer.
struct TransferFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The raw value is the failure's `code`, in logs and in the outbox.
    enum Kind: String, Sendable, CaseIterable {
        /// A value could not be sent as a header. Nothing was sent.
        case badHeader = "bad_header"
        case resolveFailed = "resolve_failed"
        case connectFailed = "connect_failed"
        case tlsFailed = "tls_failed"
        case timeout
        case connectionLost = "connection_lost"
        /// What came is not HTTP.
        case badAnswer = "bad_answer"
        /// Ours: no memory, an option refused.
        case internalFault = "internal_fault"
    }

    let kind: Kind
    /// The raw cause: libcurl's code and words.
    let message: String
    /// At least some of the request left: the upstream may act on it, though it has not answered.
    let wasSent: Bool
    var description: String { "\(kind.rawValue): \(message)" }

    init(_ kind: Kind, _ message: String, wasSent: Bool = false) {
        self.kind = kind
        self.message = message
        self.wasSent = wasSent
    }

    init(_ code: CURLcode, _ words: String, wasSent: Bool = false) {
        self.init(Kind(code), "curl \(code.rawValue): \(words)", wasSent: wasSent)
    }
}

extension TransferFailure.Kind {
    init(_ code: CURLcode) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: self = .resolveFailed
        case CURLE_COULDNT_CONNECT: self = .connectFailed
        case CURLE_OPERATION_TIMEDOUT: self = .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            self = .tlsFailed
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE: self = .connectionLost
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            self = .badAnswer
        default: self = .internalFault
        }
    }
}
