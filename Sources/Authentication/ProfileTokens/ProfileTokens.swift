package import Relay

/// Client apps that prove whose profile they speak for: a JWT from an issuer that is believed here.
package struct ProfileTokens: Sendable {
    private let verifier: TokenVerifier
    private let now: @Sendable () -> Timestamp

    /// - Parameter issuers: asked in this order; each only for tokens of its algorithms, its name and its audience.
    package init(_ issuers: [TokenIssuer], now: @escaping @Sendable () -> Timestamp = { .now }) {
        verifier = TokenVerifier(issuers)
        self.now = now
    }

    /// Whom a token speaks for, once it is believed.
    func client(_ text: ArraySlice<UInt8>) throws(TokenVerifier.Unbelieved) -> ClientKey {
        let (token, issuer) = try verifier.signed(text)
        do throws(TokenFlaw) {
            return try issuer.client(token, at: now())
        } catch {
            throw .flawed(error)
        }
    }
}
