import FoundationEssentials
import JWTKit

/// A JWK Set (RFC 7517): the public keys that an issuer publishes.
package struct KeySet: Sendable {
    /// Those that can be used here.
    package let keys: [(id: String?, key: VerificationKey)]
    /// How many there are beside them: for encryption, of other kinds, damaged, or with their private part.
    package let unusable: Int

    /// A longer one is not read.
    package static let mostBytes = 262_144

    /// - Throws: where it is no key set, or holds no key for any of these algorithms.
    package init(json: [UInt8], for algorithms: Set<TokenAlgorithm>) throws(Unusable) {
        guard json.count <= Self.mostBytes else { throw Unusable("it is longer than \(Self.mostBytes) bytes") }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(json)) else {
            throw Unusable("it is no JSON Web Key Set")
        }
        keys = document.keys.compactMap { entry in
            guard let jwk = entry.jwk, let key = jwk.key, algorithms.contains(key.algorithm) else { return nil }
            return (jwk.kid, key)
        }
        unusable = document.keys.count - keys.count
        guard !keys.isEmpty else {
            throw Unusable("it has no key for \(algorithms.map(\.rawValue).sorted().joined(separator: ", "))")
        }
    }

    /// Why a key set is not taken: a clause about it.
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    private struct Document: Decodable {
        let keys: [Entry]

        /// One key that we cannot read must not take the others away.
        struct Entry: Decodable {
            let jwk: JWK?

            init(from decoder: any Decoder) {
                jwk = try? JWK(from: decoder)
            }
        }
    }

    /// What we need of a key. jwt-kit's own type does not read `use`, and fails on algorithms that it does not know.
    private struct JWK: Decodable {
        let kty: String
        let kid: String?
        let use: String?
        let keyOps: [String]?
        let alg: String?
        let crv: String?
        let x: String?
        let y: String?
        let n: String?
        let e: String?
        let d: String?

        private enum CodingKeys: String, CodingKey {
            case kty, kid, use, alg, crv, x, y, n, e, d
            case keyOps = "key_ops"
        }

        /// Nil for `oct` too: a published secret is none. A key that says what it is for is for nothing else (RFC 7517
        /// sections 4.2 and 4.3).
        var key: VerificationKey? {
            guard use ?? "sig" == "sig", keyOps?.contains("verify") ?? true, d == nil, let key = parameters else {
                return nil
            }
            return alg ?? key.algorithm.rawValue == key.algorithm.rawValue ? key : nil
        }

        private var parameters: VerificationKey? {
            switch (kty, crv) {
            case ("EC", "P-256"):
                guard let x, let y else { return nil }
                return (try? ES256PublicKey(parameters: (x, y))).map { VerificationKey(.p256($0)) }
            case ("OKP", "Ed25519"):
                guard let x else { return nil }
                return (try? EdDSA.PublicKey(x: x, curve: .ed25519)).map { VerificationKey(.ed25519($0)) }
            case ("RSA", _):
                guard let n, let e else { return nil }
                return (try? Insecure.RSA.PublicKey(modulus: n, exponent: e)).map { VerificationKey(.rsa($0)) }
            default:
                return nil
            }
        }
    }
}
