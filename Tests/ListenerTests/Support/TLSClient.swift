import CTLS
import Glibc
import TestCertificates

@testable import TLS

/// A client's end of TLS over a descriptor that blocks. Believes every certificate, and says which it saw.
final class TLSClient {
    struct Settings {
        var versions = TLS1_2_VERSION...TLS1_3_VERSION
        /// What it shows when it is asked.
        var certificate: TestCertificates.Pair?
        /// The application protocols it offers: each with its length before it.
        var protocols = "\u{8}http/1.1"
        /// One byte in each `send`.
        var drips = false
        /// The first byte of its first record, 0x16, is out already.
        var hasBegun = false
    }

    struct Failed: Error {
        let words: String
    }

    private let ssl: OpaquePointer

    init(_ descriptor: Int32, _ settings: Settings) throws {
        guard let context = SSL_CTX_new(TLS_client_method()), let ssl = SSL_new(context) else {
            throw Failed(words: "SSL_new")
        }
        self.ssl = ssl
        SSL_CTX_free(context)
        // Below 1.2 only without a floor of security, on both ends.
        SSL_set_cipher_list(ssl, "ALL:@SECLEVEL=0")
        SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(settings.versions.lowerBound), nil)
        SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(settings.versions.upperBound), nil)
        // A read returns when a record was no data: else it would wait for data though a ticket came.
        SSL_ctrl(ssl, SSL_CTRL_CLEAR_MODE, Int(SSL_MODE_AUTO_RETRY), nil)
        let protocols = Array(settings.protocols.utf8)
        SSL_set_alpn_protos(ssl, protocols, UInt32(protocols.count))
        if let pair = settings.certificate {
            SSL_use_certificate_file(ssl, pair.certificate, SSL_FILETYPE_PEM)
            SSL_use_PrivateKey_file(ssl, pair.key, SSL_FILETYPE_PEM)
        }
        let method = ctls_socket_method()
        if settings.drips {
            BIO_meth_set_write(method) { bio, bytes, _ in
                let descriptor = Int32(BIO_ctrl(bio, BIO_C_GET_FD, 0, nil))
                return Int32(Glibc.send(descriptor, bytes, 1, Int32(MSG_NOSIGNAL)))
            }
        }
        if settings.hasBegun {
            BIO_meth_set_write(method) { bio, bytes, count in
                // A byte that is not sent counts as written.
                if BIO_number_written(bio) == 0 { return 1 }
                let descriptor = Int32(BIO_ctrl(bio, BIO_C_GET_FD, 0, nil))
                return Int32(Glibc.send(descriptor, bytes, Int(count), Int32(MSG_NOSIGNAL)))
            }
        }
        let bio = BIO_new(method)
        ctls_set_descriptor(bio, descriptor)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_connect_state(ssl)
    }

    deinit {
        SSL_free(ssl)
    }

    func shakeHands() throws {
        ERR_clear_error()
        while true {
            let result = SSL_do_handshake(ssl)
            if result == 1 { return }
            guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw Failed(words: OpenSSLError().words) }
        }
    }

    var holdsBytes: Bool { SSL_pending(ssl) > 0 }
    var version: String { String(cString: SSL_get_version(ssl)) }

    /// The server's, as the server's own end describes it.
    var serverCertificate: TLSCertificate? {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        defer { X509_free(certificate) }
        return TLSCertificate(certificate)
    }

    /// As `send`: how many bytes, or -1.
    func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        ERR_clear_error()
        return Int(SSL_write(ssl, bytes.baseAddress, Int32(bytes.count)))
    }

    /// As `recv`, with nil for a record that was no data.
    func receive(_ buffer: inout [UInt8]) -> Int? {
        ERR_clear_error()
        let count = SSL_read(ssl, &buffer, Int32(buffer.count))
        if count > 0 { return Int(count) }
        switch SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ: return nil
        case SSL_ERROR_ZERO_RETURN: return 0
        default: return -1
        }
    }

    /// Sends close_notify.
    func finishSending() {
        SSL_shutdown(ssl)
    }
}
