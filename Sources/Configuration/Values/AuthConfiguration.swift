package import Relay

/// `sources.NAME.auth`: how a source proves itself. `none` in so many words, or one way, or the networks that it sends
/// from, or both of these.
package struct AuthConfiguration: Sendable {
    package let proof: Proof
    /// Networks that it must send from as well. Default: from anywhere.
    package let addresses: [Network]?

    package enum Proof: Sendable {
        /// Anybody may send.
        case none
        case token([Secret], TokenPlace)
        /// `user:password` each.
        case basic([Secret])
        case signature(SignatureTemplate, [SignatureKey])
    }

    package enum TokenPlace: Sendable, Equatable {
        /// A parameter of the query. Default name: token.
        case query(name: String)
        /// Behind the source's name: `/hooks/{source}/{token}`.
        case path
        /// A header, and what stands before the token in it. Default: Authorization, and nothing.
        case header(name: String, prefix: String)
    }

    private static let kinds = ["token", "basic", "hmac", "ed25519"] + SignaturePreset.all.map(\.name)

    /// - Parameter source: the section in which `auth` stands.
    init(of source: Section, in surroundings: Surroundings) {
        guard source.contains("auth") else {
            source.mistake("auth", "this is missing; write auth: none if anybody may send")
            self = .none
            return
        }
        if source.text(of: "auth") != nil {
            _ = source.required("auth", .noAuthentication)
            self = .none
            return
        }
        self = source.section("auth") { AuthConfiguration(section: $0, in: surroundings) }
    }

    private static let none = AuthConfiguration(proof: .none, addresses: nil)

    private init(proof: Proof, addresses: [Network]?) {
        self.proof = proof
        self.addresses = addresses
    }

    private init(section: Section, in surroundings: Surroundings) {
        switch section.one(of: Self.kinds, isRequired: !section.contains("addresses")) {
        case "token": proof = .token(section, in: surroundings)
        case "basic": proof = .basic(section, in: surroundings)
        case "hmac": proof = .hmac(section, in: surroundings)
        case "ed25519": proof = .ed25519(section, in: surroundings)
        case let name:
            let preset = SignaturePreset.all.first { $0.name == name }
            proof = preset.map { .signature(section, as: $0, in: surroundings) } ?? .none
        }
        addresses = section.optionalList("addresses", .network, absence: "any")
    }
}

extension AuthConfiguration.Proof {
    private enum Place: String, CaseIterable {
        case query, path, header
    }

    fileprivate static func token(_ section: Section, in surroundings: Surroundings) -> Self {
        let tokens = section.requiredList("token", .secret(in: surroundings)).map(\.secret)
        switch section.value("in", .choice, default: Place.header) {
        case .query:
            return .token(
                tokens, .query(name: section.value("name", .text("the name of a parameter"), default: "token")))
        case .path:
            return .token(tokens, .path)
        case .header:
            let name = section.value("name", .headerName, default: "Authorization")
            let prefix = section.optional("prefix", .text("what stands before the token, such as Bearer")) ?? ""
            return .token(tokens, .header(name: name, prefix: prefix.separated))
        }
    }

    fileprivate static func basic(_ section: Section, in surroundings: Surroundings) -> Self {
        let credentials = section.requiredList("basic", .secret(in: surroundings)).map(\.secret)
        if credentials.contains(where: { !$0.reveal { $0.contains(UInt8(ascii: ":")) } }) {
            section.mistake("basic", "this secret must be a user and a password with a colon between them")
        }
        return .basic(credentials)
    }
}

extension String {
    /// YAML drops the blank behind `Bearer`, and no sender means `Bearertoken`.
    fileprivate var separated: String {
        utf8.last?.isLetterOrDigit == true ? self + " " : self
    }
}

extension Kind<Void> {
    fileprivate static var noAuthentication: Kind<Void> {
        Kind("none, or a mapping that says how it proves itself", write: { "none" }) { $0 == "none" ? () : nil }
    }
}
