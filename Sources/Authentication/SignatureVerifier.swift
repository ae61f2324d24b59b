import Crypto
import Relay

/// One key, ready to check signatures with.
struct SignatureVerifier: Sendable {
    private enum Method {
        case hmac(SignatureKey.Algorithm.Digest)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    private let method: Method
    private let key: Secret
    let prefix: String
    let signatureBytes: Int

    /// Nil for what cannot be a key: everybody knows the empty one.
    init?(_ key: SignatureKey) {
        guard !key.key.isEmpty else { return nil }
        switch key.algorithm {
        case .hmac(let digest):
            method = .hmac(digest)
            signatureBytes = digest.bytes
        case .ed25519:
            guard let publicKey = key.key.reveal({ try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }) else {
                return nil
            }
            method = .ed25519(publicKey)
            signatureBytes = 64
        }
        self.key = key.key
        prefix = key.prefix
    }

    /// How many of the signatures are this key's over a text. Each is compared, in a time that does not tell where it
    /// differs.
    func matches(among signatures: [[UInt8]], over text: [UInt8]) -> Int {
        switch method {
        case .hmac(.sha1): matches(HMAC<Insecure.SHA1>.self, signatures, text)
        case .hmac(.sha256): matches(HMAC<SHA256>.self, signatures, text)
        case .hmac(.sha384): matches(HMAC<SHA384>.self, signatures, text)
        case .hmac(.sha512): matches(HMAC<SHA512>.self, signatures, text)
        case .ed25519(let publicKey): signatures.count { publicKey.isValidSignature($0, for: text) }
        }
    }

    private func matches<Hash>(_ code: HMAC<Hash>.Type, _ signatures: [[UInt8]], _ text: [UInt8]) -> Int {
        let expected = code.authenticationCode(for: text, using: key.reveal { SymmetricKey(data: $0) })
        return signatures.count { expected == $0 }
    }
}

extension SignatureKey.Algorithm.Digest {
    fileprivate var bytes: Int {
        switch self {
        case .sha1: Insecure.SHA1.byteCount
        case .sha256: SHA256.byteCount
        case .sha384: SHA384.byteCount
        case .sha512: SHA512.byteCount
        }
    }
}
