package import Relay

/// Proof that a request comes from a genuine app: a Firebase App Check token in `X-Firebase-AppCheck`, beside the
/// client key. A key can be taken out of an app; the token is given only to an app that its platform vouches for, and
/// ends within hours.
///
/// What a token must be: https://firebase.google.com/docs/app-check/custom-resource-backend. It names an app, no
/// profile, and gives no right of its own.
package struct AppCheck: Sendable {
    /// Where Firebase publishes the keys of all projects.
    package static let keySetURL = "https://firebaseappcheck.googleapis.com/v1/jwks"
    package static let algorithms: Set<TokenAlgorithm> = [.rs256]

    private let issuer: TokenIssuer
    private let verifier: TokenVerifier
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - project: the Firebase project's number.
    ///   - keys: Firebase's; several of these may share them.
    package init(project: String, keys: TokenKeys, now: @escaping @Sendable () -> Timestamp = { .now }) {
        issuer = TokenIssuer(
            name: "app_check", app: "", scopes: [], algorithms: Self.algorithms,
            issuer: "https://firebaseappcheck.googleapis.com/\(project)", audience: ["projects/\(project)"], keys: keys)
        verifier = TokenVerifier([issuer])
        self.now = now
    }

    /// Firebase's keys before they are fetched: once an hour, so that five fetches may fail before the keys are six
    /// hours old, which is as old as Firebase lets them become. A minute less: they are dropped by a fetch that fails,
    /// and one is tried every 15 s then.
    package static func unfetchedKeys() -> TokenKeys {
        TokenKeys(fetchedEvery: .seconds(3600), keptFor: .seconds(6 * 3600 - 60))
    }

    /// - Throws: 401 where no token is there or it is not believed, 503 where its keys are not there. Both read like
    ///   those of a key: whoever has only that does not learn what is missing.
    func check(_ request: Request, challenge: String) throws(Refusal) {
        let text: ArraySlice<UInt8>
        switch request.headers.single("x-firebase-appcheck") {
        case .absent: throw .unauthorized(cause: "app_check_missing", challenge: challenge)
        case .repeated: throw .unauthorized(cause: "app_check_repeated", challenge: challenge)
        case .present(let value): text = value
        }
        do throws(TokenVerifier.Unbelieved) {
            let token = try verifier.signed(text).token
            do throws(TokenFlaw) {
                try issuer.checkTimes(token, now())
            } catch {
                throw .flawed(error)
            }
        } catch {
            switch error {
            case .flawed(let flaw):
                var refusal = Refusal.unauthorized(cause: "app_check_\(flaw.reason.rawValue)", challenge: challenge)
                refusal.evidence = flaw.evidence
                throw refusal
            case .noKeysYet:
                throw .unavailable("Tokens cannot be checked yet.", retryAfter: 15, cause: "no_app_check_keys")
            }
        }
    }
}
