/// What a TLS listener shows and asks for: paths of PEM files, which are read when a context is made of them.
package struct TLSSettings: Sendable, Equatable {
    /// The oldest version that is spoken.
    package enum Version: Sendable {
        case tls12, tls13
    }

    /// The server's certificate, then those between it and its authority.
    package var certificate: String
    package var key: String
    /// The authorities of clients. Where there is one, a client without a certificate of theirs is refused.
    package var clientCA: String?
    package var minimum = Version.tls12

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Which of the settings cannot be used, and why. Never shows what is in a file.
package struct TLSMistake: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting's name in the configuration: `certificate`, `key` or `client_ca`.
    package let key: String
    package let sentence: String

    package var description: String { "\(key): \(sentence)" }
}
