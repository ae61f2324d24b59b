import CTLS

/// What a handshake came to.
package struct TLSSession: Sendable, Equatable {
    /// `TLSv1.3`
    package let version: String
    /// What the client showed and our authority vouches for.
    package let client: TLSCertificate?

    /// - Parameter ssl: an `SSL` whose handshake is over.
    init(_ ssl: OpaquePointer) {
        version = String(cString: SSL_get_version(ssl))
        if let certificate = SSL_get1_peer_certificate(ssl) {
            client = TLSCertificate(certificate)
            X509_free(certificate)
        } else {
            client = nil
        }
    }
}
