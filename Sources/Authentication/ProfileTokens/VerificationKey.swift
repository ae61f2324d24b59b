import JWTKit
package import Relay

/// The signature algorithms that profile tokens may use, by their names in RFC 7518 and RFC 8037.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// What a token's signature is checked with. Its kind settles the algorithm: no word of a token's header can make a
/// public key serve as an HMAC secret. RFC 8725 section 3.1.
package struct VerificationKey: Sendable {
    enum Kind: Sendable {
        case secret(HMACKey)
        case rsa(Insecure.RSA.PublicKey)
        case p256(ES256PublicKey)
        case ed25519(EdDSA.PublicKey)
    }

    let kind: Kind

    /// RFC 7518 section 3.2: a key of the hash's size or larger.
    package static let leastSecretBytes = 32

    init(_ kind: Kind) {
        self.kind = kind
    }

    package var algorithm: TokenAlgorithm {
        switch kind {
        case .secret: .hs256
        case .rsa: .rs256
        case .p256: .es256
        case .ed25519: .edDSA
        }
    }

    /// The secret of HS256, byte for byte; nil for one that is too short.
    package init?(secret: Secret) {
        guard secret.reveal({ $0.count }) >= Self.leastSecretBytes else { return nil }
        kind = .secret(secret.reveal { HMACKey(from: $0) })
    }

    /// A public key in PEM: RSA of 2048 bits or more, P-256 or Ed25519; nil for anything else.
    package init?(pem: String) {
        if let key = try? ES256PublicKey(pem: pem) {
            kind = .p256(key)
        } else if let key = try? EdDSA.PublicKey(pem: pem) {
            kind = .ed25519(key)
        } else if let key = try? Insecure.RSA.PublicKey(pem: pem) {
            kind = .rsa(key)
        } else {
            return nil
        }
    }

    /// jwt-kit's algorithm over this key. Its collection is the only maker of those, and an actor; this is asked once a
    /// key, not once a token.
    func makeVerifier() async throws -> any JWTAlgorithm {
        let collection = JWTKeyCollection()
        switch kind {
        case .secret(let key): await collection.add(hmac: key, digestAlgorithm: .sha256)
        case .rsa(let key): await collection.add(rsa: key, digestAlgorithm: .sha256)
        case .p256(let key): await collection.add(ecdsa: key)
        case .ed25519(let key): await collection.add(eddsa: key)
        }
        return try await collection.getKey()
    }
}
