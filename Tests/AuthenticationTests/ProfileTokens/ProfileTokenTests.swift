import Foundation
import JWTKit
import Relay
import Testing

@testable import Authentication

@Suite("Profile tokens: what they say")
struct ProfileTokenTests {
    private static let user = ProfileReference.customerUserID("usr_1")

    @Test("a genuine token speaks for its profile, and for nobody else", arguments: TokenAlgorithm.allCases)
    func genuine(_ algorithm: TokenAlgorithm) async throws {
        let minter = try await Keys.of(algorithm)
        let client = try Rig(try await .backend(minter)).client(try minter.token())
        #expect(client.name == "backend" && client.app == "main" && client.scopes == [.write])
        let subject = try #require(client.subject)
        #expect(subject.reference == Self.user)
        #expect(!subject.isMeant(by: try #require(.customerUserID("usr_2"))))
        #expect(!subject.isMeant(by: try #require(.profileID("3f0e2b6a-6f0e-4c56-9a39-6a1d3f1c9b11"))))
    }

    /// The claims of RFC 7519, as jwt-kit writes them.
    private struct Payload: JWTPayload {
        let iss: IssuerClaim
        let sub: SubjectClaim
        let aud: AudienceClaim
        let exp: ExpirationClaim
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    @Test("a token that jwt-kit makes is believed")
    func foreign() async throws {
        let key = ES256PrivateKey()
        let collection = await JWTKeyCollection().add(ecdsa: key)
        let exp = Date(timeIntervalSince1970: Double(Minter.now.milliseconds) / 1000 + 60.5)
        let payload = Payload(
            iss: "https://auth.example.com", sub: "usr_1", aud: AudienceClaim(value: ["other", "patchbay"]),
            exp: ExpirationClaim(value: exp))
        let minter = Minter(
            algorithm: try await collection.getKey(), key: VerificationKey(.p256(key.publicKey)), pem: "")
        let token = try await collection.sign(payload)
        #expect(try Rig(try await .backend(minter)).client(token).subject?.reference == Self.user)
    }

    @Test(
        "a claim that is not as it must be is refused, with the cause for the log",
        arguments: [
            (["iss": #""https://auth.example.com/""#], "wrong_issuer"), (["iss": nil], "wrong_issuer"),
            (["iss": #"["https://auth.example.com"]"#], "wrong_issuer"), (["iss": "null"], "wrong_issuer"),
            (["aud": #""another""#], "wrong_audience"), (["aud": nil], "wrong_audience"),
            (["aud": "[]"], "wrong_audience"), (["aud": #"["a","b"]"#], "wrong_audience"),
            (["aud": #"["patchbay",1]"#], "wrong_audience"), (["aud": #""Patchbay""#], "wrong_audience"),
            (["aud": #"["a","patchbay"]"#], "none"),
            (["exp": nil], "no_expiry"), (["exp": "null"], "no_expiry"), (["exp": #""1800000300""#], "bad_time"),
            (["exp": "true"], "bad_time"), (["exp": "-1e300"], "token_expired"), (["exp": "0"], "token_expired"),
            (["exp": "1e300"], "none"),
            // 30 s of skew, either way: of exp the end is not in it, of nbf and iat the beginning is.
            (["exp": "1799999970"], "token_expired"), (["exp": "1799999970.001"], "none"),
            (["nbf": "1800000030"], "none"), (["nbf": "1800000030.001"], "token_not_yet_valid"),
            (["iat": "1800000030"], "none"), (["iat": "1800000031"], "token_not_yet_valid"), (["iat": nil], "none"),
            (["nbf": "1e300"], "token_not_yet_valid"), (["nbf": "{}"], "bad_time"), (["iat": "[1]"], "bad_time"),
            (["sub": nil], "no_profile"), (["sub": "null"], "no_profile"), (["sub": #""""#], "bad_profile"),
            (["sub": "7"], "bad_profile"), (["sub": #"["usr_1"]"#], "bad_profile"),
            (["sub": #""usr_1\r\nX: y""#], "bad_profile"), (["sub": #""usr_1\u0000""#], "bad_profile"),
            (["sub": #""usr\u0085""#], "bad_profile"), (["sub": #"" usr_1""#], "bad_profile"),
            (["sub": #""usr_1\n""#], "bad_profile"),
            (["pid": #""3f0e2b6a""#], "bad_profile"), (["pid": "{}"], "bad_profile"),
            (["sub": nil, "pid": #""3f0e2b6a-6f0e-4c56-9a39-6a1d3f1c9b11""#], "none"),
        ] as [([String: String?], String)])
    func claims(_ changes: [String: String?], _ cause: String) async throws {
        let minter = try await Keys.of(.es256)
        var issuer = try await TokenIssuer.backend(minter)
        issuer.profileID = "pid"
        #expect(Rig(issuer).cause(try minter.token(claims: Minter.claims(changes))) == cause)
    }

    @Test(
        "an id as long as ids may be is a profile, a longer one is refused", arguments: [(1024, true), (1025, false)])
    func length(_ count: Int, _ isFine: Bool) async throws {
        let minter = try await Keys.of(.es256)
        let claims = Minter.claims(["sub": "\"" + String(repeating: "u", count: count) + "\""])
        let cause = Rig(try await .backend(minter)).cause(try minter.token(claims: claims))
        #expect(cause == (isFine ? "none" : "bad_profile"))
    }

    @Test("both names of a profile may be used, and Adapty's is the one that is meant where nobody is named")
    func bothNames() async throws {
        let minter = try await Keys.of(.es256)
        var issuer = try await TokenIssuer.backend(minter)
        issuer.customerUserID = "https://example.com/uid"
        issuer.profileID = "pid"
        let id = "3f0e2b6a-6f0e-4c56-9a39-6a1d3f1c9b11"
        let claims = Minter.claims(["pid": "\"\(id.uppercased())\"", "https://example.com/uid": #""u""#])
        let subject = try #require(try Rig(issuer).client(try minter.token(claims: claims)).subject)
        #expect(subject.reference == .profileID(id))
        #expect(subject.isMeant(by: try #require(.customerUserID("u"))))
        #expect(!subject.isMeant(by: try #require(Self.user)))
    }

    @Test("how far off a time is stands in the evidence, the token never")
    func evidence() async throws {
        let minter = try await Keys.of(.es256)
        let rig = Rig(try await .backend(minter))
        let late = try minter.token(claims: Minter.claims(["exp": "1799999000"]))
        let refusal = try #require(#expect(throws: Refusal.self) { try rig.client(late) })
        #expect(refusal.evidence?.skew == .seconds(-1000))
        #expect(refusal.evidence?.tolerance == .seconds(30))
        for part in late.split(separator: ".") { #expect(!"\(refusal)".contains(part)) }
        let early = try minter.token(claims: Minter.claims(["nbf": "1e300"]))
        let other = try #require(#expect(throws: Refusal.self) { try rig.client(early) })
        #expect(other.evidence?.skew == .milliseconds(1_000_000_000_000_000))
    }

    @Test("a token may do what its issuer's may do")
    func scopes() async throws {
        let minter = try await Keys.of(.hs256)
        let rig = Rig(try await .backend(minter))
        let token = try minter.token()
        let noReader = #expect(throws: Refusal.self) { try rig.client(token, method: .get) }
        #expect(noReader?.status == 403 && noReader?.cause == "missing_scope")
        #expect(try rig.client(token, scheme: "bearer").name == "backend")
        let asKey = try #require(#expect(throws: Refusal.self) { try rig.client(token, scheme: "Api-Key") })
        #expect(asKey.cause == "unknown_key")
    }

    @Test("where an app requires tokens its client keys are refused, and those of other apps are not")
    func required() async throws {
        let minter = try await Keys.of(.hs256)
        let issuer = try await TokenIssuer.backend(minter)
        #expect(Rig(issuer, tokenApps: ["main"]).cause("canary-ios") == "profile_token_required")
        #expect(Rig(issuer, tokenApps: ["main"]).cause(try minter.token()) == "none")
        #expect(Rig(issuer, tokenApps: ["other"]).cause("canary-ios") == "none")
    }

    @Test("one issuer's tokens for two apps are told apart by their audience")
    func audiences() async throws {
        let minter = try await Keys.of(.rs256)
        let first = try await TokenIssuer.backend(minter)
        var second = try await TokenIssuer.backend(minter, name: "second", app: "other")
        second.audience = ["elsewhere"]
        let rig = Rig(first, second)
        #expect(try rig.client(try minter.token()).app == "main")
        #expect(try rig.client(try minter.token(claims: Minter.claims(["aud": #""elsewhere""#]))).app == "other")
    }
}
