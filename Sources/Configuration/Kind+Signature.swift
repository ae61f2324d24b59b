import Relay

/// A key and where it was found.
struct FoundKey: Sendable {
    let key: SignatureKey
    let reference: SecretReference
}

extension Kind<FoundKey> {
    /// A reference to a secret, followed and decoded. Shown as where it was found.
    /// - Parameter decode: what the secret is.
    static func key(
        in surroundings: Surroundings, hasLines: Bool = false,
        _ decode: @escaping (Secret) throws(SignatureKey.Unreadable) -> SignatureKey
    ) -> Kind<FoundKey> {
        let secret = Kind<FoundSecret>.secret(in: surroundings, hasLines: hasLines)
        return Kind(
            secret.name,
            read: { text throws(Wrong) in
                let found = try secret.read(text)
                do throws(SignatureKey.Unreadable) {
                    return FoundKey(key: try decode(found.secret), reference: found.reference)
                } catch {
                    throw Wrong(error.sentence)
                }
            }, write: { "\($0.key.key) from \($0.reference)" })
    }
}

extension Kind<SignedText> {
    /// What a signature is made over.
    static var signedText: Kind<SignedText> {
        Kind(
            "a template such as \"{timestamp}.{body}\"",
            read: { text throws(Wrong) in
                do throws(SignedText.Malformed) {
                    return try SignedText(text)
                } catch {
                    throw Wrong(error.sentence)
                }
            }, write: { $0.description })
    }
}

extension Kind<SignatureTemplate.TimestampPlace> {
    /// A header, or a parameter within one.
    static var timestampPlace: Kind<SignatureTemplate.TimestampPlace> {
        Kind(
            "the name of a header, such as X-Timestamp, or of a parameter in one, such as X-Signature:t",
            write: { $0.header + ($0.parameter.map { ":\($0)" } ?? "") }
        ) { text in
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.allSatisfy(\.isHeaderName) else { return nil }
            return SignatureTemplate.TimestampPlace(parts[0], parameter: parts.dropFirst().first)
        }
    }
}
