import JWTKit
import Relay

/// Tells which of some issuers made a token, if one did. What costs little is asked first, and what a signature costs
/// last.
///
/// The signatures are jwt-kit's. Its key collection is not used on requests: that is an actor, and a second suspension
/// between a request and its append would buy nothing but a hop between threads, where nothing waits for I/O. So each
/// issuer's keys are an immutable table of jwt-kit's algorithms, replaced as a whole, and everything here is
/// synchronous. The collection also picks the key by the token's word alone, and falls back to a default one for a
/// `kid` that it does not know; here the issuer's rules pick.
struct TokenVerifier: Sendable {
    /// How many signatures are checked for one token. Where the token names no key, or keys have no names, every key of
    /// its algorithm may be the one; without a bound, one request could cost as much as a thousand keys. So many take
    /// a few milliseconds, and who presents tokens that nobody signed soon finds `limits.failures_per_ip`.
    static let mostTries = 64

    private let issuers: [TokenIssuer]
    private let algorithms: Set<TokenAlgorithm>

    /// - Parameter issuers: asked in this order; each only for tokens of its algorithms, its name and its audience.
    init(_ issuers: [TokenIssuer]) {
        self.issuers = issuers
        algorithms = issuers.reduce(into: []) { $0.formUnion($1.algorithms) }
    }

    /// A token whose signature is its issuer's. Its times and what it says of anybody are not checked yet.
    /// - Throws: a flaw of the token, or `noKeysYet` where an issuer's keys are not there: that is our fault, and a
    ///   caller who is told 401 would throw a good token away.
    func signed(_ text: ArraySlice<UInt8>) throws(Unbelieved) -> (token: PresentedToken, issuer: TokenIssuer) {
        do throws(TokenFlaw) {
            let token = try PresentedToken(text, allowing: algorithms)
            var isWaitingForKeys = false
            if let issuer = try signer(of: token, &isWaitingForKeys) { return (token, issuer) }
            guard isWaitingForKeys else { throw TokenFlaw(.unknownKey, token.header) }
        } catch {
            throw .flawed(error)
        }
        throw .noKeysYet
    }

    enum Unbelieved: Error, Equatable {
        case flawed(TokenFlaw)
        case noKeysYet
    }

    /// Nil where nobody has a key that could have signed it.
    private func signer(
        of token: PresentedToken, _ isWaitingForKeys: inout Bool
    ) throws(TokenFlaw) -> TokenIssuer? {
        let header = token.header
        let able = issuers.filter { $0.algorithms.contains(header.algorithm) }
        let named = able.filter { $0.isNamed(in: token.claims) }
        guard !named.isEmpty else { throw TokenFlaw(.wrongIssuer, header) }
        let meant = named.filter { $0.isAudience(of: token.claims) }
        guard !meant.isEmpty else { throw TokenFlaw(.wrongAudience, header) }
        var tries = 0
        for issuer in meant {
            guard let keys = issuer.keys.candidates(header.algorithm, id: header.keyID) else {
                isWaitingForKeys = true
                continue
            }
            for key in keys where tries < Self.mostTries {
                tries += 1
                if (try? key.verifier.verify(token.signature, signs: token.signed)) == true { return issuer }
            }
        }
        guard tries == 0 || isWaitingForKeys else { throw TokenFlaw(.wrongSignature, header) }
        return nil
    }
}
