import CTLS
import Glibc

/// A certificate, its key and the rules of handshakes, all read and found to fit. Connections that began with one keep
/// it; the keys of its session tickets are its own, so none is taken up again under another.
package final class TLSContext: @unchecked Sendable {
    // @unchecked: nothing changes after init, and OpenSSL counts and locks for connections on several threads.
    let handle: Handle
    package let certificate: TLSCertificate
    private let keyFile: String

    /// The owner of an `SSL_CTX`.
    struct Handle: ~Copyable {
        let pointer: OpaquePointer

        init() throws(OpenSSLError) {
            guard let pointer = SSL_CTX_new(TLS_server_method()) else { throw OpenSSLError() }
            self.pointer = pointer
        }

        deinit {
            // Connections hold a reference of their own.
            SSL_CTX_free(pointer)
        }
    }

    package init(_ settings: TLSSettings) throws(TLSMistake) {
        ERR_clear_error()
        do {
            handle = try Handle()
        } catch {
            throw TLSMistake(key: "certificate", sentence: "OpenSSL cannot make a context: \(error.words)")
        }
        try Self.setRules(handle.pointer, settings.minimum)
        try Self.load(settings, into: handle.pointer)
        if let authorities = settings.clientCA { try Self.requireClients(of: authorities, handle.pointer) }
        guard let own = SSL_CTX_get0_certificate(handle.pointer) else {
            throw TLSMistake(key: "certificate", sentence: "the file \(settings.certificate) holds no certificate")
        }
        certificate = TLSCertificate(own)
        keyFile = settings.key
    }

    /// What is no mistake but should be seen by somebody.
    /// - Parameter now: in seconds since 1970.
    package func warnings(at now: Int64) -> [String] {
        var warnings: [String] = []
        if certificate.notAfter < now { warnings.append("the certificate has expired") }
        var status = stat()
        if stat(keyFile, &status) == 0, status.st_mode & S_IROTH != 0 {
            warnings.append("the key file can be read by every user of this machine")
        }
        return warnings
    }

    // MARK: Rules

    private static func setRules(_ context: OpaquePointer, _ minimum: TLSSettings.Version) throws(TLSMistake) {
        ctls_set_server_options(context)
        // The last one: an idle connection holds no buffers.
        ctls_set_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS))
        // One recv for a record instead of two, its head and the rest.
        ctls_set_read_ahead(context)
        // Sessions are in the clients' tickets; a cache here would hold memory for each.
        ctls_disable_session_cache(context)
        // TLS 1.2 with forward secrecy and AEAD only; those of 1.3 are all such. Source: Mozilla's "intermediate".
        guard ctls_set_min_version(context, minimum == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1,
            SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
        else { throw TLSMistake(key: "minimum", sentence: "OpenSSL refuses it: \(OpenSSLError().words)") }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, count, _ in
                // HTTP/1.1, and 1.0 for the few that ask for it. To go on with a client that wants something else would
                // be answering in a protocol that it does not speak (RFC 7301 section 3.2).
                let spoken: StaticString = "\u{8}http/1.1\u{8}http/1.0"
                var selected: UnsafeMutablePointer<UInt8>?
                let result = SSL_select_next_proto(
                    &selected, length, spoken.utf8Start, UInt32(spoken.utf8CodeUnitCount), offered, count)
                guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = UnsafePointer(selected)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    // MARK: Files

    private static func load(_ settings: TLSSettings, into context: OpaquePointer) throws(TLSMistake) {
        guard SSL_CTX_use_certificate_chain_file(context, settings.certificate) == 1 else {
            let sentence = "no certificate can be read from the file \(settings.certificate): \(OpenSSLError().words)"
            throw TLSMistake(key: "certificate", sentence: sentence)
        }
        // Without a callback OpenSSL would ask for a passphrase on the terminal.
        var isEncrypted = false
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, context in
            context?.assumingMemoryBound(to: Bool.self).pointee = true
            return -1
        }
        let isLoaded = withUnsafeMutablePointer(to: &isEncrypted) { flag in
            SSL_CTX_set_default_passwd_cb_userdata(context, flag)
            defer { SSL_CTX_set_default_passwd_cb_userdata(context, nil) }
            return SSL_CTX_use_PrivateKey_file(context, settings.key, SSL_FILETYPE_PEM) == 1
                && SSL_CTX_check_private_key(context) == 1
        }
        guard !isLoaded else { return }
        let error = OpenSSLError()
        let sentence =
            if isEncrypted {
                "the key in the file \(settings.key) has a passphrase, which nobody is there to type"
            } else if [ERR_LIB_X509, ERR_LIB_SSL].contains(error.library) {
                "the key in the file \(settings.key) is not that of the certificate"
            } else {
                "no key can be read from the file \(settings.key): \(error.words)"
            }
        throw TLSMistake(key: "key", sentence: sentence)
    }

    private static func requireClients(of authorities: String, _ context: OpaquePointer) throws(TLSMistake) {
        guard SSL_CTX_load_verify_file(context, authorities) == 1,
            // Their names, by which a client chooses among its certificates.
            let names = SSL_load_client_CA_file(authorities)
        else {
            let sentence = "no certificate can be read from the file \(authorities): \(OpenSSLError().words)"
            throw TLSMistake(key: "client_ca", sentence: sentence)
        }
        SSL_CTX_set_client_CA_list(context, names)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        // OpenSSL takes up no session of a verified client without it.
        SSL_CTX_set_session_id_context(context, "patchbay", 8)
    }
}
