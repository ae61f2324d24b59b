import Relay

// The ways to sign: HMAC and Ed25519 by template, and the templates that have a name.

extension AuthConfiguration.Proof {
    /// `hmac`: secrets that sender and receiver share.
    static func hmac(_ section: Section, in surroundings: Surroundings) -> Self {
        /// sha1, sha256, sha384 or sha512. Default: sha256.
        let digest = section.value("algorithm", .choice, default: SignatureKey.Algorithm.Digest.sha256)
        /// How the secrets are written: text, hex or base64. Default: text.
        let spelling = section.value("key_encoding", .choice, default: SignatureKey.Spelling.text)
        let prefix = prefix(section)
        let keys = section.requiredList(
            "hmac",
            .key(in: surroundings) { secret throws(SignatureKey.Unreadable) in
                try .hmac(digest, secret, as: spelling, prefix: prefix)
            })
        return .signature(template(section), keys.map(\.key))
    }

    /// `ed25519`: public keys.
    static func ed25519(_ section: Section, in surroundings: Surroundings) -> Self {
        let prefix = prefix(section)
        let keys = section.requiredList(
            "ed25519",
            .key(in: surroundings, hasLines: true) { secret throws(SignatureKey.Unreadable) in
                try .ed25519(secret, prefix: prefix)
            })
        return .signature(template(section), keys.map(\.key))
    }

    /// A template that has a name. What is left to say of it is the tolerance, where there is a time. Default: 5m.
    static func signature(_ section: Section, as preset: SignaturePreset, in surroundings: Surroundings) -> Self {
        let keys = section.requiredList(preset.name, .key(in: surroundings, preset.key))
        var template = preset.template
        if let tolerance = template.timestamp?.tolerance {
            template.timestamp?.tolerance = section.value("tolerance", .duration, default: tolerance)
        }
        return .signature(template, keys.map(\.key))
    }

    /// What stands before a signature, such as `sha256=`. Default: nothing.
    private static func prefix(_ section: Section) -> String {
        section.optional("prefix", .text("what stands before a signature, such as sha256=")) ?? ""
    }

    private static func template(_ section: Section) -> SignatureTemplate {
        /// The header with the signature; required.
        let header = section.required("header", .headerName) ?? ""
        /// hex, base64 or base64url. Default: hex.
        let encoding = section.value("encoding", .choice, default: ByteEncoding.hex)
        /// What is between two signatures. Default: a comma.
        let separator = section.value("separator", .text("what stands between two signatures"), default: ",")
        /// Default: the body.
        let signed = section.value("signed", .signedText, default: .body)
        /// Default: the sender does not say when it signed.
        var timestamp = section.optional("timestamp", .timestampPlace)
        /// How far the time may be from ours, both ways. Default: 5m.
        let tolerance = section.value("tolerance", .duration, default: .seconds(300))
        timestamp?.tolerance = tolerance
        section.reportTimeless(signed, timestamp)
        return SignatureTemplate(
            header: header, separator: separator, encoding: encoding, signed: signed, timestamp: timestamp)
    }
}

extension Section {
    /// A time proves something only where it is signed, and is signed only where it is known.
    fileprivate func reportTimeless(_ signed: SignedText, _ timestamp: SignatureTemplate.TimestampPlace?) {
        let isWellFormed = signed != .body || !contains("signed") || text(of: "signed") == signed.description
        switch (signed.pieces.contains(.timestamp), contains("timestamp")) {
        case (true, false):
            mistake("signed", "there is no timestamp that says where the time stands")
        case (false, true) where isWellFormed && timestamp != nil:
            mistake("timestamp", "without {timestamp} in signed, anybody could change the time")
        case (false, false) where contains("tolerance") && isWellFormed:
            mistake("tolerance", "there is no timestamp that this could be about")
        default: break
        }
    }
}
