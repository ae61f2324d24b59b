/// What a signature is checked with.
package struct SignatureKey: Sendable {
    package enum Algorithm: Sendable, Equatable {
        case hmac(Digest)
        /// RFC 8032; the key is the public one, 32 bytes.
        case ed25519

        package enum Digest: String, Sendable, CaseIterable {
            case sha1, sha256, sha384, sha512
        }
    }

    package let algorithm: Algorithm
    /// As the algorithm takes it: decoded, if it was given encoded.
    package let key: Secret
    /// What stands before a signature that was made with it, such as `v1=`: tells it from signatures of other kinds.
    package let prefix: String

    package init(_ algorithm: Algorithm, _ key: Secret, prefix: String = "") {
        self.algorithm = algorithm
        self.key = key
        self.prefix = prefix
    }

    /// Why a secret is no key: one sentence, which shows nothing of it.
    package struct Unreadable: Error {
        package let sentence: String

        fileprivate init(_ sentence: String) {
            self.sentence = sentence
        }
    }
}

// MARK: - As vendors hand them out

extension SignatureKey {
    /// How an HMAC key is written.
    package enum Spelling: String, Sendable, CaseIterable {
        /// Its characters are its bytes.
        case text
        case hex
        /// With or without padding; what stands before it up to `whsec_` is dropped.
        case base64
    }

    package static func hmac(
        _ digest: Algorithm.Digest, _ secret: Secret, as spelling: Spelling = .text, prefix: String = ""
    ) throws(Unreadable) -> SignatureKey {
        let key: [UInt8]? = secret.reveal { text in
            switch spelling {
            case .text: text
            case .hex: ByteEncoding.hex.decode(text)
            case .base64: padded(text.dropPrefix("whsec_") ?? text[...])
            }
        }
        guard let key else { throw Unreadable("this secret is not \(spelling.rawValue)") }
        guard !key.isEmpty else { throw Unreadable("this secret is empty") }
        return SignatureKey(.hmac(digest), Secret(key), prefix: prefix)
    }

    /// A key of Standard Webhooks: `whsec_` and a shared secret, or `whpk_` and a public key, both in base64. Without
    /// either it is a shared secret, as it is to the reference libraries.
    package static func standardWebhooks(_ secret: Secret) throws(Unreadable) -> SignatureKey {
        guard !secret.hasPrefix("whsk_") else { throw .private("whpk_") }
        let publicKey = secret.reveal { $0.dropPrefix("whpk_").map { Secret(Array($0)) } }
        guard let publicKey else { return try hmac(.sha256, secret, as: .base64, prefix: "v1,") }
        return try ed25519(publicKey, prefix: "v1a,")
    }

    /// An Ed25519 public key: its 32 bytes in hex or base64, or a PEM file.
    package static func ed25519(_ secret: Secret, prefix: String = "") throws(Unreadable) -> SignatureKey {
        let text = secret.reveal { String(decoding: $0, as: UTF8.self) }
        guard !text.contains("PRIVATE KEY") else { throw .private("the public one") }
        let key =
            text.hasPrefix(pemBegin)
            ? spki(text) : ByteEncoding.hex.decode(text.utf8) ?? padded(Array(text.utf8)[...])
        guard let key, key.count == 32 else {
            throw Unreadable("this is no Ed25519 public key: 32 bytes in hex or base64, or PEM")
        }
        return SignatureKey(.ed25519, Secret(key), prefix: prefix)
    }

    private static let pemBegin = "-----BEGIN PUBLIC KEY-----"

    /// RFC 8410 section 4: a SubjectPublicKeyInfo of Ed25519 is always these twelve bytes and then the key.
    private static func spki(_ pem: String) -> [UInt8]? {
        let lines = pem.split(whereSeparator: \.isNewline).map { String($0.trimmingBlanks) }.filter { !$0.isEmpty }
        guard lines.last == "-----END PUBLIC KEY-----",
            let der = ByteEncoding.base64.decode(lines.dropFirst().dropLast().joined().utf8)
        else { return nil }
        let head: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
        return der.starts(with: head) ? Array(der.dropFirst(head.count)) : nil
    }

    /// Base64 whose padding may have got lost.
    private static func padded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = text.prefix { $0 != UInt8(ascii: "=") }
        guard text.count == digits.count || text.count.isMultiple(of: 4) else { return nil }
        let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - digits.count % 4) % 4)
        guard text.count == digits.count || text.count == digits.count + padding.count else { return nil }
        return ByteEncoding.base64.decode(digits + padding)
    }
}

extension SignatureKey.Unreadable {
    fileprivate static func `private`(_ wanted: String) -> SignatureKey.Unreadable {
        SignatureKey.Unreadable("this is a private key, which only the sender may have; \(wanted) is needed here")
    }
}

extension [UInt8] {
    fileprivate func dropPrefix(_ prefix: String) -> ArraySlice<UInt8>? {
        starts(with: prefix.utf8) ? dropFirst(prefix.utf8.count) : nil
    }
}
