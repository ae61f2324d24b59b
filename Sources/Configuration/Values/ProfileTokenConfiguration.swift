package import Relay

/// `profile_tokens.NAME`: an issuer of tokens that each speak for one profile. Your own backend, or an identity
/// provider.
package struct ProfileTokenConfiguration: Sendable {
    /// The algorithms of a token's signature.
    package enum Algorithm: String, Sendable, CaseIterable {
        case hs256 = "HS256"
        case rs256 = "RS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    /// What signatures are checked with.
    package enum Keys: Sendable {
        /// `key`, for HS256: what signs the tokens too. Several while it is being rotated.
        case secrets([Secret])
        /// `key`, for the others: public keys in PEM, each with the line it is named on.
        case pems([Located<String>])
        /// `jwks`: the bytes of a JSON Web Key Set.
        case keySet([UInt8])
        /// `jwks`: where one is published; https unless on loopback.
        case published(String)
    }

    package let name: String
    /// Whose profiles its tokens may name; required.
    package let app: String
    /// `key` or `jwks`; one of them is required.
    package let keys: Keys
    /// Exactly what is accepted; required. HS256 never stands beside another, nor with `jwks`.
    package let algorithms: [Algorithm]
    /// What `iss` must be. Default: anything.
    package let issuer: String?
    /// What `aud` must hold, one of these; required: an issuer's other tokens are not meant for us.
    package let audience: [String]
    /// The claim with the customer user id. Default: sub.
    package let customerUserID: String
    /// The claim with Adapty's id of the profile. Default: none.
    package let profileID: String?
    /// Default: write.
    package let scopes: Set<ClientKey.Scope>
    /// How far the issuer's clock may be from ours. Default: 30s, at most 10m.
    package let leeway: Duration
    /// The web pages that may use its tokens; a request that names another origin is refused. Default: none.
    package let origins: [String]
    /// How often published keys are fetched. Default: 10m, from 1s to 24h.
    package let refresh: Duration
    /// Where `key` or `jwks` stands.
    package let line: Int

    init(_ section: Section, named name: String, in surroundings: Surroundings, _ names: Names) {
        self.name = name
        line = section.line(of: section.contains("jwks") ? "jwks" : "key")
        app = section.required("app", .app(names)) ?? ""
        algorithms = section.requiredList("algorithms", Kind<Algorithm>.choice)
        keys = Self.keys(section, algorithms, in: surroundings)
        issuer = section.optional("issuer", .text("the text that iss must be"))
        audience = section.requiredList("audience", .text("a text that aud must hold"))
        customerUserID = section.value("customer_user_id", .text("the name of a claim"), default: "sub")
        profileID = section.optional("profile_id", .text("the name of a claim"))
        let scopes = section.list("scopes", Kind<ClientKey.Scope>.choice, default: [.write])
        if scopes.isEmpty { section.mistake("scopes", "there must be at least one of write, read") }
        self.scopes = Set(scopes)
        leeway = section.value("leeway", .delay, default: .seconds(30))
        if leeway > .seconds(600) { section.mistake("leeway", "this is more than 10m; set the clocks instead") }
        origins = section.list("origins", .origin, default: [])
        refresh = section.value("refresh", .duration, default: .seconds(600))
        if !(.seconds(1) ... .seconds(86400)).contains(refresh) {
            section.mistake("refresh", "this is not from 1s to 24h")
        }
    }

    private static func keys(_ section: Section, _ algorithms: [Algorithm], in surroundings: Surroundings) -> Keys {
        let isSymmetric = algorithms.contains(.hs256)
        // Whoever took a public key for a secret could be sent tokens that anybody can sign.
        if isSymmetric, algorithms.count > 1 {
            section.mistake(
                "algorithms", "HS256 needs an issuer of its own: its key is a secret, and theirs are public")
        }
        let kind = Kind<FoundSecret>.tokenKey(of: algorithms, in: surroundings)
        guard section.contains("jwks") else {
            let keys = section.requiredLines("key", kind, missing: "there must be a key or jwks here")
            if isSymmetric { return .secrets(keys.map(\.value.secret)) }
            return .pems(keys.map { Located(value: $0.value.secret.text, line: $0.line) })
        }
        if section.contains("key") {
            section.mistake("key", "there is jwks as well; one of the two must go")
            _ = section.requiredLines("key", kind)
        }
        if isSymmetric { section.mistake("algorithms", "HS256 needs a key; what jwks holds is public") }
        switch section.required("jwks", .keySet(in: surroundings)) {
        case .file(_, let bytes): return .keySet(bytes)
        case .url(let url): return .published(url)
        case nil: return .keySet([])
        }
    }
}

extension Secret {
    fileprivate var text: String { reveal { String(decoding: $0, as: UTF8.self) } }
}

extension Kind<FoundSecret> {
    /// For HS256 a secret, for the others a public key in PEM: one where the other belongs is a mistake.
    fileprivate static func tokenKey(
        of algorithms: [ProfileTokenConfiguration.Algorithm], in surroundings: Surroundings
    ) -> Kind<FoundSecret> {
        let isSymmetric = algorithms.contains(.hs256)
        let plain = secret(in: surroundings, hasLines: !isSymmetric)
        return Kind(
            plain.name,
            read: { text throws(Wrong) in
                let found = try plain.read(text)
                // RFC 7518 section 3.2.
                if isSymmetric, found.secret.reveal({ $0.count }) < 32 {
                    throw Wrong("the secret of HS256 must have at least 32 bytes")
                }
                // Without an algorithm, which is a mistake already, nothing can be said of the key.
                if !isSymmetric, !algorithms.isEmpty, let flaw = found.secret.text.flawOfPublicKey {
                    throw Wrong(flaw)
                }
                return found
            }, write: plain.write)
    }
}

extension String {
    /// RFC 7468: what a PEM text says that it holds.
    fileprivate var flawOfPublicKey: String? {
        let labels = split(whereSeparator: \.isNewline).filter { $0.hasPrefix("-----BEGIN ") }
        if labels.contains(where: { $0.contains("PRIVATE KEY") }) {
            return "this is a private key, which only the issuer may hold; give the public one"
        }
        if labels.contains(where: { $0.contains("CERTIFICATE") }) {
            return "this is a certificate; give its public key"
        }
        return labels.count == 1 && labels[0].contains("PUBLIC KEY") ? nil : "this is not one public key in PEM"
    }
}

/// `jwks`: a file, read at start, or where the keys are published.
private enum KeySetPlace {
    case file(path: String, [UInt8])
    case url(String)
}

extension KeySetPlace: Followed {
    var fingerprint: Int {
        switch self {
        case .file(_, let bytes): bytes.hashValue
        case .url(let url): url.hashValue
        }
    }
}

extension Kind<KeySetPlace> {
    fileprivate static func keySet(in surroundings: Surroundings) -> Kind<KeySetPlace> {
        Kind(
            "file:PATH or a URL such as https://auth.example.com/jwks.json",
            read: { text throws(Wrong) in
                if case .file(let path)? = SecretReference(text) {
                    do {
                        return .file(path: path, try surroundings.contents(path))
                    } catch {
                        throw Wrong("the file \(path) cannot be read: \(error)")
                    }
                }
                guard let url = UpstreamURL(text) else { throw Wrong("this is not \(keySet(in: surroundings).name)") }
                guard url.isSafe else { throw Wrong("keys from off this machine must come by https") }
                return .url(text)
            },
            write: { place in
                switch place {
                case .file(let path, _): "file:\(path)"
                case .url(let url): url
                }
            })
    }
}
