import Crypto
import Relay

/// The secrets that are valid at the moment: one, or several while they are being rotated. Kept as SHA-256 digests.
///
/// What is presented is hashed and compared with every one of them, whatever the earlier comparisons said, and each
/// comparison takes the same time wherever the difference is (`==` of digests in Crypto is made so). How long it takes
/// therefore tells only how many secrets there are.
struct KnownSecrets: Sendable {
    private let digests: [SHA256Digest]
    /// What would be accepted, for whoever looks for a wrong secret.
    let expectation: Evidence

    /// An empty secret is left out: it would let in whoever presents nothing.
    init(_ secrets: [Secret]) {
        let secrets = secrets.filter { !$0.isEmpty }
        digests = secrets.map { $0.reveal { SHA256.digest(of: $0[...]) } }
        var expectation = Evidence()
        expectation.expectedBytes = secrets.map { $0.reveal(\.count) }
        self.expectation = expectation
    }

    func judge(_ presented: ArraySlice<UInt8>) -> Verdict {
        if contains(presented) { return .genuine }
        var evidence = expectation
        evidence.presentedBytes = presented.count
        return .refused(.wrongCredential, evidence)
    }

    func contains(_ presented: ArraySlice<UInt8>) -> Bool {
        matches(presented) > 0
    }

    /// How many of the secrets it equals. Every one of them is compared.
    func matches(_ presented: ArraySlice<UInt8>, compare: (SHA256Digest, SHA256Digest) -> Bool = { $0 == $1 }) -> Int {
        let digest = SHA256.digest(of: presented)
        var matches = 0
        for known in digests { matches += compare(digest, known) ? 1 : 0 }
        return matches
    }
}

extension SHA256 {
    static func digest(of bytes: ArraySlice<UInt8>) -> SHA256Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize()
    }
}
