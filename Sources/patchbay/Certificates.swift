import Configuration
import Glibc
import Logging
import Metrics
import Relay
import TLS

/// The TLS of the public listener: keeps account of its certificate and of handshakes that fail.
struct Certificates: Sendable {
    let acceptor: TLSAcceptor
    private let logger: Logger
    private let expires = Gauge(label: "patchbay_tls_certificate_expires_seconds")

    init(_ context: TLSContext, logger: Logger) {
        self.logger = logger
        let failures = Dictionary(
            uniqueKeysWithValues: HandshakeFailure.Reason.allCases.map { reason in
                let labels = [("reason", reason.rawValue)]
                return (reason, Counter(label: "patchbay_tls_handshake_failures_total", dimensions: labels))
            })
        acceptor = TLSAcceptor(context) { failure, peer in
            failures[failure.reason]?.increment()
            let line = LogLine { json in
                json.field("client", peer)
                json.field("reason", failure.reason.rawValue)
                json.field("error", failure.detail)
            }
            // Scanners make such a line each; the metric is what to watch.
            logger.debug("handshake failed", metadata: line.metadata)
        }
        announce("certificate", context)
    }

    /// For new connections, from now on.
    func adopt(_ context: TLSContext) {
        acceptor.adopt(context)
        announce("certificate read again", context)
    }

    private func announce(_ message: Logger.Message, _ context: TLSContext) {
        let certificate = context.certificate
        expires.record(certificate.notAfter)
        let line = LogLine { json in
            if let name = certificate.commonName { json.field("name", name) }
            json.field("not_after", Timestamp(milliseconds: certificate.notAfter * 1000).description)
            json.field("sha256", certificate.fingerprint)
        }
        logger.notice(message, metadata: line.metadata)
        for warning in context.warnings(at: Int64(time(nil))) {
            logger.warning("\(warning)", metadata: LogLine { $0.field("sha256", certificate.fingerprint) }.metadata)
        }
    }
}

extension TLSSettings {
    init(_ tls: TLSConfiguration) {
        self.init(certificate: tls.certificate, key: tls.key)
        clientCA = tls.clientCA
        minimum =
            switch tls.minimum {
            case .tls12: .tls12
            case .tls13: .tls13
            }
    }
}
