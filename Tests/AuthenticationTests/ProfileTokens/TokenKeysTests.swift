import Foundation
import JWTKit
import Relay
import Testing

@testable import Authentication

/// Keys as an issuer publishes them.
enum JWKs {
    static func json(of key: VerificationKey, id: String?, more: String = "") -> String {
        let fields =
            switch key.kind {
            case .secret: #""kty":"oct","k":"AAAA""#
            case .p256(let key):
                #""kty":"EC","crv":"P-256","x":"\#(url(key.parameters?.x))","y":"\#(url(key.parameters?.y))""#
            case .ed25519(let key): #""kty":"OKP","crv":"Ed25519","x":"\#(Minter.encode(key.rawRepresentation))""#
            case .rsa(let key):
                #""kty":"RSA","n":"\#(Minter.encode((try? key.getKeyPrimitives().modulus) ?? Data()))","e":"AQAB""#
            }
        return "{\(fields)\(id.map { #","kid":"\#($0)""# } ?? "")\(more)}"
    }

    static func set(_ keys: String...) -> [UInt8] { Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8) }

    private static func url(_ base64: String?) -> String {
        Minter.encode(base64.flatMap { Data(base64Encoded: $0) } ?? Data())
    }
}

@Suite("Profile tokens: keys")
struct TokenKeysTests {
    private static let all = Set(TokenAlgorithm.allCases)

    @Test(
        "each kind of key is read from PEM and from a key set, and checks what its owner signs",
        arguments: [TokenAlgorithm.rs256, .es256, .edDSA])
    func kinds(_ algorithm: TokenAlgorithm) async throws {
        let minter = try await Keys.of(algorithm)
        let pem = try #require(VerificationKey(pem: minter.pem))
        let set = try KeySet(json: JWKs.set(JWKs.json(of: minter.key, id: "a")), for: [algorithm])
        #expect(set.keys.map(\.id) == ["a"] && set.unusable == 0)
        for key in [(id: nil, key: pem), set.keys[0]] {
            #expect(key.key.algorithm == algorithm)
            var issuer = try await TokenIssuer.backend(minter)
            issuer.keys = try await TokenKeys([key])
            #expect(Rig(issuer).cause(try minter.token()) == "none")
        }
    }

    @Test("what is no public key of ours is not taken from PEM")
    func badPEM() throws {
        let rsa = try #require(Self.smallRSA)
        for text in ["", "x", rsa, ES384PrivateKey().publicKey.pemRepresentation, ES256PrivateKey().pemRepresentation] {
            #expect(VerificationKey(pem: text) == nil)
        }
        #expect(VerificationKey(secret: Secret(String(repeating: "s", count: 31))) == nil)
        #expect(VerificationKey(secret: Secret(String(repeating: "s", count: 32))) != nil)
    }

    /// 1024 bits.
    private static let smallRSA: String? = """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCzYL5NYit5grQi3XTAKi30TOQY
        vkAGthblDT/10LZL5AaiU2T8SRsn/PGSi2jLqgconC5dJxTwJ4MjbGP0TTc4+WCp
        0HyU/4HvdzTwcTYmyVDb1qPr4XJCkedA0Aj3w0T8CemOwqMNNz0TMOAYY9qFKK/J
        LOhAvSvRlY/w8/72ZQIDAQAB
        -----END PUBLIC KEY-----
        """

    @Test("of a key set only what can be used is taken; the rest takes nothing away")
    func unusable() async throws {
        let (ec, rsa) = (try await Keys.of(.es256).key, try await Keys.of(.rs256).key)
        let set = JWKs.set(
            JWKs.json(of: ec, id: "good", more: #","use":"sig","alg":"ES256","key_ops":["verify"],"x5t":"a""#),
            JWKs.json(of: ec, id: "encrypts", more: #","use":"enc""#),
            JWKs.json(of: ec, id: "private", more: #","d":"AAAA""#),
            JWKs.json(of: rsa, id: "other-hash", more: #","alg":"RS512""#),
            JWKs.json(of: rsa, id: "unknown", more: #","alg":"RSA-OAEP-256""#),
            JWKs.json(of: try await Keys.of(.hs256).key, id: "oct"),
            #"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#, #"{"kty":"EC","crv":"P-256"}"#,
            #"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#, #"{"kty":7}"#, "null", "[]", "{}")
        let read = try KeySet(json: set, for: Self.all)
        #expect(read.keys.map(\.id) == ["good"] && read.unusable == 12)
    }

    @Test(
        "what is no key set, or has nothing for us, is said in words",
        arguments: [
            ("", "it is no JSON Web Key Set"), ("{}", "it is no JSON Web Key Set"),
            (#"{"keys":{}}"#, "it is no JSON Web Key Set"), ("<html>", "it is no JSON Web Key Set"),
            (#"{"keys":[]}"#, "it has no key for EdDSA, RS256"),
            (String(repeating: " ", count: 262_145), "it is longer than 262144 bytes"),
        ])
    func badSet(_ json: String, _ words: String) throws {
        let error = try #require(
            #expect(throws: KeySet.Unusable.self) { try KeySet(json: Array(json.utf8), for: [.rs256, .edDSA]) })
        #expect(error.description == words)
    }

    @Test("a token's key id picks the key; one that nobody has is unknown, and shown without harm")
    func keyIDs() async throws {
        let (old, new) = (try await Keys.of(.es256), try await Keys.p256())
        var issuer = try await TokenIssuer.backend(old)
        issuer.keys = try await TokenKeys([("old", old.key), ("new", new.key)])
        let rig = Rig(issuer)
        #expect(rig.cause(try old.token(header: #"{"alg":"ES256","kid":"old"}"#)) == "none")
        #expect(rig.cause(try new.token(header: #"{"alg":"ES256","kid":"new"}"#)) == "none")
        #expect(rig.cause(try new.token()) == "none")
        #expect(rig.cause(try new.token(header: #"{"alg":"ES256","kid":"old"}"#)) == "wrong_signature")
        let strange = #"{"alg":"ES256","kid":"\r\nX \u00e9"# + String(repeating: "k", count: 200) + #""}"#
        let refusal = try #require(#expect(throws: Refusal.self) { try rig.client(try new.token(header: strange)) })
        #expect(refusal.cause == "unknown_key")
        #expect(refusal.evidence?.keyID == "??X???" + String(repeating: "k", count: 58))
    }

    @Test(
        "a key that says what it may be used for is used for nothing else",
        arguments: [
            (#"["verify"]"#, true), (#"["sign","verify"]"#, true), ("null", true), (#"["sign"]"#, false),
            (#"["encrypt","wrapKey"]"#, false), ("[]", false), (#""verify""#, false), ("[7]", false),
            (#"["Verify"]"#, false),
        ])
    func keyOperations(_ operations: String, _ isUsable: Bool) async throws {
        let key = try await Keys.of(.es256).key
        let set = JWKs.set(
            JWKs.json(of: key, id: "a", more: #","key_ops":\#(operations)"#), JWKs.json(of: key, id: "other"))
        #expect(try KeySet(json: set, for: [.es256]).keys.map(\.id) == (isUsable ? ["a", "other"] : ["other"]))
    }

    @Test("more than eight keys without an id are tried, and one with the token's id before them all")
    func manyKeys() async throws {
        var minters: [Minter] = []
        for _ in 0..<20 { minters.append(try await Keys.p256()) }
        var issuer = try await TokenIssuer.backend(minters[0])
        issuer.keys = try await TokenKeys(minters.map { (nil, $0.key) })
        for minter in minters { #expect(Rig(issuer).cause(try minter.token()) == "none") }
        // As many nameless ones before it as are tried.
        let named = try await Keys.p256()
        let nameless = Array(repeating: (id: String?.none, key: minters[0].key), count: TokenVerifier.mostTries)
        issuer.keys = try await TokenKeys(nameless + [("mine", named.key)])
        #expect(Rig(issuer).cause(try named.token(header: #"{"alg":"ES256","kid":"mine"}"#)) == "none")
    }

    @Test("a token without a key id is tried on a bounded number of keys")
    func tries() async throws {
        var minters: [Minter] = []
        for _ in 0...TokenVerifier.mostTries { minters.append(try await Keys.p256()) }
        var issuer = try await TokenIssuer.backend(minters[0])
        issuer.keys = try await TokenKeys(minters.enumerated().map { ("\($0)", $1.key) })
        let rig = Rig(issuer)
        #expect(rig.cause(try minters[TokenVerifier.mostTries - 1].token()) == "none")
        #expect(rig.cause(try minters[TokenVerifier.mostTries].token()) == "wrong_signature")
        let named = #"{"alg":"ES256","kid":"\#(TokenVerifier.mostTries)"}"#
        #expect(rig.cause(try minters[TokenVerifier.mostTries].token(header: named)) == "none")
    }

    @Test("as long as keys were never fetched it is our fault, 503; then they are, and a failure does not take them")
    func fetched() async throws {
        let (old, new) = (try await Keys.of(.es256), try await Keys.p256())
        var issuer = try await TokenIssuer.backend(old)
        let keys = TokenKeys(fetchedEvery: .seconds(600))
        issuer.keys = keys
        let rig = Rig(issuer)
        let token = try old.token()
        let refusal = try #require(#expect(throws: Refusal.self) { try rig.client(token) })
        #expect(refusal.status == 503 && refusal.headers == [Field("Retry-After", "15")])
        #expect(rig.cause(try old.token(header: #"{"alg":"none"}"#)) == "algorithm_not_allowed")
        #expect(rig.cause(try old.token(claims: Minter.claims(["aud": "1"]))) == "wrong_audience")

        let start = ContinuousClock.now
        try await keys.replace(KeySet(json: JWKs.set(JWKs.json(of: old.key, id: "o")), for: [.es256]), at: start)
        #expect(rig.cause(token) == "none")
        keys.keep(at: start + .seconds(600))
        #expect(rig.cause(token) == "none")
        try await keys.replace(KeySet(json: JWKs.set(JWKs.json(of: new.key, id: "n")), for: [.es256]), at: start)
        #expect(rig.cause(token) == "wrong_signature")
        #expect(rig.cause(try new.token()) == "none")
    }

    @Test("a key that is not known brings the next fetch forward, to a minute after the last one and no more")
    func missed() async throws {
        let minter = try await Keys.of(.es256)
        var issuer = try await TokenIssuer.backend(minter)
        let keys = TokenKeys(fetchedEvery: .seconds(600))
        issuer.keys = keys
        let start = ContinuousClock.now
        #expect(keys.isDue(at: start))
        try await keys.replace(KeySet(json: JWKs.set(JWKs.json(of: minter.key, id: "a")), for: [.es256]), at: start)
        #expect(Rig(issuer).cause(try minter.token(header: #"{"alg":"ES256","kid":"a"}"#)) == "none")
        #expect(!keys.isDue(at: start + .seconds(599)))
        for _ in 0..<1000 {
            #expect(Rig(issuer).cause(try minter.token(header: #"{"alg":"ES256","kid":"b"}"#)) == "unknown_key")
        }
        #expect(!keys.isDue(at: start + .seconds(59)))
        #expect(keys.isDue(at: start + .seconds(60)))
    }

    @Test("after a failure it is tried again soon, and never more often than configured")
    func schedule() {
        let start = ContinuousClock.now
        var schedule = RefreshSchedule(interval: .seconds(600))
        #expect(schedule.isDue(at: start))
        schedule.failed(at: start)
        #expect(!schedule.isDue(at: start + .seconds(14)))
        #expect(schedule.isDue(at: start + .seconds(15)))
        schedule.fetched(at: start)
        #expect(!schedule.isDue(at: start + .seconds(599)))
        #expect(schedule.isDue(at: start + .seconds(600)))
        var quick = RefreshSchedule(interval: .seconds(2))
        quick.failed(at: start)
        #expect(quick.isDue(at: start + .seconds(2)))
        quick.fetched(at: start)
        quick.noteMiss()
        #expect(!quick.isDue(at: start + .seconds(1)))
    }
}
