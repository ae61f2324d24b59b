package import Relay

/// Somebody whose tokens are believed, and for what: your own backend, or an identity provider.
package struct TokenIssuer: Sendable {
    /// The configured name, for logs and metrics.
    package var name: String
    /// The app whose profiles its tokens may name.
    package var app: String
    package var scopes: Set<ClientKey.Scope>
    /// Exactly these, whatever keys there are.
    package var algorithms: Set<TokenAlgorithm>
    /// What `iss` must be; nil for anything.
    package var issuer: String?
    /// One of which `aud` must hold.
    package var audience: Set<String>
    /// The claim that holds the customer user id.
    package var customerUserID = "sub"
    /// The claim that holds Adapty's id of the profile, if there is one.
    package var profileID: String?
    /// How far its clock may be from ours, either way.
    package var leeway = Duration.seconds(30)
    /// The web pages that may use its tokens, where any may.
    package var origins = Origins.none
    package var keys: TokenKeys

    package init(
        name: String, app: String, scopes: Set<ClientKey.Scope>, algorithms: Set<TokenAlgorithm>, issuer: String?,
        audience: Set<String>, keys: TokenKeys
    ) {
        self.name = name
        self.app = app
        self.scopes = scopes
        self.algorithms = algorithms
        self.issuer = issuer
        self.audience = audience
        self.keys = keys
    }

    func isNamed(in claims: Claims) -> Bool {
        guard let issuer else { return true }
        if case .text(let named) = claims["iss"] { return named.isSameBytes(as: issuer) }
        return false
    }

    func isAudience(of claims: Claims) -> Bool {
        let named: [String] =
            switch claims["aud"] {
            case .text(let text): [text]
            case .texts(let texts): texts
            case .number, .other, nil: []
            }
        return named.contains { name in audience.contains { $0.isSameBytes(as: name) } }
    }

    /// The caller that a genuine token speaks for.
    func client(_ token: PresentedToken, at now: Timestamp) throws(TokenFlaw) -> ClientKey {
        try checkTimes(token, now)
        return ClientKey(name: name, app: app, scopes: scopes, subject: try subject(token), origins: origins)
    }

    /// RFC 7519 sections 4.1.4 to 4.1.6. A token without an end would be a client key that cannot be revoked. `iat` is
    /// not required; one from the future is refused as `nbf` is.
    func checkTimes(_ token: PresentedToken, _ now: Timestamp) throws(TokenFlaw) {
        guard let expiry = try ahead("exp", token, now) else { throw TokenFlaw(.noExpiry, token.header) }
        guard expiry > .zero - leeway else { throw flaw(.tokenExpired, token, skew: expiry) }
        for name in ["nbf", "iat"] {
            if let start = try ahead(name, token, now), start > leeway {
                throw flaw(.tokenNotYetValid, token, skew: start)
            }
        }
    }

    /// How far ahead of us a time is; negative where it has passed.
    private func ahead(_ claim: String, _ token: PresentedToken, _ now: Timestamp) throws(TokenFlaw) -> Duration? {
        guard let value = token.claims[claim] else { return nil }
        guard case .number(let seconds) = value else { throw TokenFlaw(.badTime, token.header) }
        // A number of any size can stand there. Thirty thousand years are enough for every comparison.
        let ahead = seconds * 1000 - Double(now.milliseconds)
        return .milliseconds(Int64(min(max(ahead, -1e15), 1e15)))
    }

    private func flaw(_ reason: TokenFlaw.Reason, _ token: PresentedToken, skew: Duration) -> TokenFlaw {
        var flaw = TokenFlaw(reason, token.header)
        flaw.evidence.skew = skew
        flaw.evidence.tolerance = leeway
        return flaw
    }

    /// Adapty's own id comes first, as it does everywhere.
    private func subject(_ token: PresentedToken) throws(TokenFlaw) -> Subject {
        let profile = try text(profileID, token).map { text throws(TokenFlaw) in
            guard let profile = ProfileReference.profileID(text) else { throw TokenFlaw(.badProfile, token.header) }
            return profile
        }
        let user = try text(customerUserID, token).map { text throws(TokenFlaw) in
            // Where the issuer tells " u" from "u", those are two users: nothing is trimmed off a claim.
            guard let user = CustomerUserID(text), user.text.isSameBytes(as: text) else {
                throw TokenFlaw(.badProfile, token.header)
            }
            return ProfileReference.customerUserID(user)
        }
        switch (profile, user) {
        case (let profile?, let user?): return Subject(profile, user)
        case (let one?, nil), (nil, let one?): return Subject(one)
        case (nil, nil): throw TokenFlaw(.noProfile, token.header)
        }
    }

    private func text(_ claim: String?, _ token: PresentedToken) throws(TokenFlaw) -> String? {
        guard let claim, let value = token.claims[claim] else { return nil }
        guard case .text(let text) = value else { throw TokenFlaw(.badProfile, token.header) }
        return text
    }
}
