import Foundation
import Relay
import Testing

@testable import Authentication

@Suite("App Check: a genuine app beside its key")
struct AppCheckTests {
    private static let key = "canary-ios"
    /// The claims of a token that Firebase gives, with these instead of them or beside them; nil leaves one out.
    private static func claims(_ changes: [String: String?] = [:]) -> String {
        var claims: [String: String?] = [
            "iss": #""https://firebaseappcheck.googleapis.com/123456789""#,
            "aud": #"["projects/123456789","projects/my-app"]"#, "sub": #""1:123456789:ios:a1b2c3""#,
        ]
        claims.merge(changes) { $1 }
        return Minter.claims(claims)
    }

    private static func clients(_ keys: TokenKeys) -> ClientKeys {
        let client = { ClientKey(name: $0, app: "main", scopes: [.write]) }
        return ClientKeys(
            [(client("ios"), [Secret(key)]), (client("server"), [Secret("canary-server")])],
            appChecks: ["ios": AppCheck(project: "123456789", keys: keys) { Minter.now }])
    }

    private static func refusal(_ clients: ClientKeys, _ tokens: String..., key: String = key) -> Refusal? {
        let fields = tokens.map { Field("X-Firebase-AppCheck", $0) }
        let headers = Headers([Field("Authorization", "Api-Key \(key)")] + fields)
        do throws(Refusal) {
            _ = try clients.client(of: Request(method: .post, path: "/", headers: headers))
            return nil
        } catch {
            return error
        }
    }

    /// Why not; nil for a token that is believed.
    private static func cause(of token: String) async throws -> String? {
        refusal(clients(try await TokenKeys([(nil, try await Keys.of(.rs256).key)])), token)?.cause
    }

    @Test("a key that app_check stands beside is worth nothing alone, and enough with a genuine token")
    func beside() async throws {
        let minter = try await Keys.of(.rs256)
        let clients = Self.clients(try await TokenKeys([("fb", minter.key)]))
        let token = try minter.token(header: #"{"alg":"RS256","typ":"JWT","kid":"fb"}"#, claims: Self.claims())
        #expect(Self.refusal(clients, token) == nil)
        let alone = try #require(Self.refusal(clients))
        #expect(alone.status == 401 && alone.message == "Invalid API key" && alone.cause == "app_check_missing")
        #expect(alone.caller?.name == "ios")
        #expect(alone.headers.contains { $0.name == "WWW-Authenticate" })
        #expect(Self.refusal(clients, token, token)?.cause == "app_check_repeated")
        // A token without the key is nothing either, and other keys need none.
        #expect(Self.refusal(clients, token, key: "wrong")?.cause == "unknown_key")
        #expect(Self.refusal(clients, key: "canary-server") == nil)
    }

    @Test(
        "an App Check token of another project, out of its time or without an end is refused, with the cause",
        arguments: [
            (["iss": #""https://firebaseappcheck.googleapis.com/12345678""#], "app_check_wrong_issuer"),
            (["iss": #""https://firebaseappcheck.googleapis.com/123456789/""#], "app_check_wrong_issuer"),
            (["iss": #""https://securetoken.google.com/123456789""#], "app_check_wrong_issuer"),
            (["iss": nil], "app_check_wrong_issuer"),
            (["aud": #""projects/12345678""#], "app_check_wrong_audience"),
            (["aud": #"["123456789"]"#], "app_check_wrong_audience"), (["aud": nil], "app_check_wrong_audience"),
            (["exp": "1799999970"], "app_check_token_expired"), (["exp": nil], "app_check_no_expiry"),
            (["exp": #""1800000300""#], "app_check_bad_time"),
            (["iat": "1800000031"], "app_check_token_not_yet_valid"),
            (["aud": #""projects/123456789""#], nil), (["sub": nil], nil),
        ] as [([String: String?], String?)])
    func claims(_ changes: [String: String?], _ cause: String?) async throws {
        #expect(try await Self.cause(of: Keys.of(.rs256).token(claims: Self.claims(changes))) == cause)
    }

    @Test("App Check takes RS256 alone: no `none`, no HS256 with the public key as its secret, no other algorithm")
    func confusion() async throws {
        let minter = try await Keys.of(.rs256)
        let unsigned = try minter.token(header: #"{"alg":"none"}"#, claims: Self.claims())
        #expect(try await Self.cause(of: unsigned) == "app_check_algorithm_not_allowed")
        let parts = unsigned.split(separator: ".")
        #expect(try await Self.cause(of: "\(parts[0]).\(parts[1]).") == "app_check_algorithm_not_allowed")
        for secret in [minter.pem, minter.pem + "\n"] {
            let forger = try await Keys.hmac(Array(secret.utf8))
            #expect(
                try await Self.cause(of: forger.token(claims: Self.claims())) == "app_check_algorithm_not_allowed")
            let named = try forger.token(header: #"{"alg":"RS256"}"#, claims: Self.claims())
            #expect(try await Self.cause(of: named) == "app_check_wrong_signature")
        }
        for algorithm in [TokenAlgorithm.es256, .edDSA] {
            let token = try await Keys.of(algorithm).token(claims: Self.claims())
            #expect(try await Self.cause(of: token) == "app_check_algorithm_not_allowed")
        }
        let cut = String(try minter.token(claims: Self.claims()).dropLast(42))
        #expect(try await Self.cause(of: cut) == "app_check_wrong_signature")
        for text in ["", "x", "a.b", "a.b.c.d", String(repeating: "a", count: 9000)] {
            #expect(try await Self.cause(of: text)?.hasPrefix("app_check_") == true)
        }
    }

    @Test("what is logged of an App Check token that is not believed is how far off it is, and nothing of the token")
    func evidence() async throws {
        let minter = try await Keys.of(.rs256)
        let token = try minter.token(claims: Self.claims(["exp": "1799999000"]))
        let clients = Self.clients(try await TokenKeys([(nil, minter.key)]))
        let refusal = try #require(Self.refusal(clients, token))
        #expect(refusal.evidence?.skew == .seconds(-1000) && refusal.evidence?.tolerance == .seconds(30))
        for part in token.split(separator: ".") { #expect(!"\(refusal)".contains(part)) }
    }

    @Test("while App Check's keys are not there, or no longer may be used, it is our fault: 503 with Retry-After")
    func unreachable() async throws {
        let minter = try await Keys.of(.rs256)
        let keys = AppCheck.unfetchedKeys()
        let clients = Self.clients(keys)
        let token = try minter.token(claims: Self.claims())
        let refusal = try #require(Self.refusal(clients, token))
        #expect(refusal.status == 503 && refusal.headers == [Field("Retry-After", "15")])
        #expect(refusal.cause == "no_app_check_keys" && refusal.caller?.name == "ios")
        // What is wrong in itself needs no key to be refused.
        #expect(Self.refusal(clients)?.status == 401)

        let start = ContinuousClock.now
        try await keys.replace(
            KeySet(json: JWKs.set(JWKs.json(of: minter.key, id: "fb")), for: AppCheck.algorithms), at: start)
        #expect(Self.refusal(clients, token) == nil)
        #expect(!keys.isDue(at: start + .seconds(3599)) && keys.isDue(at: start + .seconds(3600)))
        keys.keep(at: start + .seconds(3600))
        keys.keep(at: start + .seconds(5 * 3600))
        #expect(Self.refusal(clients, token) == nil)
        // Another fetch is tried within a quarter of a minute, and here it fails, too.
        keys.keep(at: start + .seconds(6 * 3600 - 30))
        #expect(Self.refusal(clients, token)?.status == 503)
    }
}
