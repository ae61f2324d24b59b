package import EventLoop

/// `tls`: a listener that speaks TLS itself, beside the plain one, for nodes without a balancer that does.
package struct TLSConfiguration: Sendable {
    /// The oldest version of TLS that is spoken.
    package enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Where it listens.
    package let listen: SocketAddress
    /// The certificate and those between it and its authority, in PEM. Read again on SIGHUP, as the next two are.
    package let certificate: String
    /// Its key, in PEM: a path and not a secret's value, since it is read by OpenSSL, and again on SIGHUP.
    package let key: String
    /// The authorities of client certificates, in PEM; a client must then have one of theirs. Default: none.
    package let clientCA: String?
    /// Default: 1.2.
    package let minimum: Version
    private let lines: [String: Int]

    /// Nil where there is no `listen`; a mistake too, where there is anything else.
    init?(_ section: Section, in surroundings: Surroundings) {
        let listen = section.optional("listen", .address)
        let certificate = section.optional("certificate", .text("the path of a file"))
        let key = section.optional("key", .text("the path of a file"))
        clientCA = section.optional("client_ca", .text("the path of a file"))
        minimum = section.value("minimum", .choice, default: .tls12)
        let files = [("certificate", certificate), ("key", key), ("client_ca", clientCA)]
        lines = Dictionary(uniqueKeysWithValues: files.map { name, _ in (name, section.line(of: name)) })

        for (name, path) in files {
            guard let path else { continue }
            do {
                _ = try surroundings.contents(path)
            } catch {
                section.mistake(name, "the file \(path) cannot be read: \(error)")
            }
        }
        let isEmpty = !["listen", "certificate", "key", "client_ca", "minimum"].contains { section.contains($0) }
        for name in ["listen", "certificate", "key"] where !isEmpty && !section.contains(name) {
            section.mistake(name, "this is missing")
        }
        guard let listen, let certificate, let key else { return nil }
        self.listen = listen
        self.certificate = certificate
        self.key = key
    }

    /// What is found wrong with a file only when it is used.
    /// - Parameter key: the file's key in this section.
    package func mistake(_ key: String, _ sentence: String) -> Mistakes {
        Mistakes([Mistake(line: lines[key], key: "tls.\(key)", sentence: sentence)])
    }
}
