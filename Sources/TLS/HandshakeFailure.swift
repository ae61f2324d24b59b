import CTLS

/// A handshake that came to nothing.
package struct HandshakeFailure: Sendable, Equatable {
    /// What is counted; the names are those of the metric.
    package enum Reason: String, Sendable, CaseIterable {
        /// It was not over in its time.
        case deadline
        /// The peer went away in its middle.
        case closed
        /// The peer spoke HTTP without TLS.
        case plainHTTP = "plain_http"
        /// No version, cipher or application protocol that both know.
        case unsupported
        /// The client has no certificate, or none that is believed.
        case clientCertificate = "client_certificate"
        /// The peer ended it with an alert: most often it does not believe our certificate.
        case refused
        /// Anything else: what came is not TLS.
        case malformed
    }

    package let reason: Reason
    /// OpenSSL's words.
    package let detail: String
}

extension HandshakeFailure {
    init(_ error: OpenSSLError) {
        detail = error.words
        reason =
            switch error.reason {
            case _ where error.library != ERR_LIB_SSL: .malformed
            case SSL_R_HTTP_REQUEST: .plainHTTP
            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_NO_SHARED_CIPHER, SSL_R_NO_APPLICATION_PROTOCOL,
                SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_VERSION_TOO_LOW,
                SSL_R_INAPPROPRIATE_FALLBACK:
                .unsupported
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, SSL_R_CERTIFICATE_VERIFY_FAILED: .clientCertificate
            // The numbers of alerts that were received stand from here on.
            case 1000..<1256: .refused
            default: .malformed
            }
    }
}
