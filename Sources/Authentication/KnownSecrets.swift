import Crypto
import Relay

/// The secrets that are valid at the moment: one, or several while they are being rotated. Kept as SHA-256 digests.
///
/// What is presented is hashed and compared with every one of them, whatever the earlier comparisons said, and each
/// comparison takes the same time wherever the difference is (`==` of digests in Crypto is made so). How long it takes
/// therefore tells only how many secrets there are.
struct KnownSecrets: Sendable {
    private let known: [(place: Int, digest: SHA256Digest)]
    /// How many were given.
    let count: Int
    /// What would be accepted, for whoever looks for a wrong secret.
    let expectation: Evidence

    /// An empty secret is left out, and keeps its place: it would let in whoever presents nothing.
    init(_ secrets: [Secret]) {
        count = secrets.count
        known = secrets.enumerated().filter { !$1.isEmpty }.map { index, secret in
            (index + 1, secret.reveal { SHA256.digest(of: $0[...]) })
        }
        var expectation = Evidence()
        expectation.expectedBytes = secrets.filter { !$0.isEmpty }.map { $0.reveal(\.count) }
        self.expectation = expectation
    }

    func judge(_ presented: ArraySlice<UInt8>, _ proof: inout Proof) -> Verdict {
        if let place = place(of: presented) {
            proof.place = place
            return .genuine
        }
        var evidence = expectation
        evidence.presentedBytes = presented.count
        return .refused(.wrongCredential, evidence)
    }

    func contains(_ presented: ArraySlice<UInt8>) -> Bool {
        place(of: presented) != nil
    }

    /// Which of the secrets it equals, the first if several are the same; nil for none. Every one of them is compared.
    func place(
        of presented: ArraySlice<UInt8>, compare: (SHA256Digest, SHA256Digest) -> Bool = { $0 == $1 }
    ) -> Int? {
        let digest = SHA256.digest(of: presented)
        var place = 0
        for known in known.reversed() { place = compare(digest, known.digest) ? known.place : place }
        return place > 0 ? place : nil
    }
}

extension SHA256 {
    static func digest(of bytes: ArraySlice<UInt8>) -> SHA256Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return hash.finalize()
    }
}
