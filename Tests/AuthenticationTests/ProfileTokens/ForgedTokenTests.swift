import Foundation
import Relay
import Testing

@testable import Authentication

@Suite("Profile tokens: forgeries")
struct ForgedTokenTests {
    @Test(
        "`alg: none` is refused however it is spelt, with a signature and without",
        arguments: ["none", "None", "NONE", "nOnE", "none ", "", "null"])
    func none(_ name: String) async throws {
        for algorithm in TokenAlgorithm.allCases {
            let minter = try await Keys.of(algorithm)
            let rig = Rig(try await .backend(minter))
            let token = try minter.token(header: #"{"alg":"\#(name)"}"#)
            let parts = token.split(separator: ".")
            #expect(rig.cause(token) == "algorithm_not_allowed")
            #expect(rig.cause("\(parts[0]).\(parts[1]).") == "algorithm_not_allowed")
        }
    }

    @Test("a header without a usable `alg` is malformed", arguments: ["{}", #"{"alg":null}"#, #"{"alg":["ES256"]}"#])
    func noAlgorithm(_ header: String) async throws {
        let minter = try await Keys.of(.es256)
        #expect(Rig(try await .backend(minter)).cause(try minter.token(header: header)) == "malformed_token")
    }

    @Test("a public key is never taken for an HMAC secret", arguments: [TokenAlgorithm.rs256, .es256, .edDSA])
    func confusion(_ algorithm: TokenAlgorithm) async throws {
        let minter = try await Keys.of(algorithm)
        let alone = Rig(try await .backend(minter))
        let beside = Rig(try await .backend(minter), try await .backend(try await Keys.of(.hs256), name: "other"))
        for bytes in [minter.pem, minter.pem + "\n", minter.pem.replacingOccurrences(of: "\n", with: "")] {
            let forged = try await Keys.hmac(Array(bytes.utf8)).token()
            #expect(alone.cause(forged) == "algorithm_not_allowed")
            #expect(beside.cause(forged) == "wrong_signature")
            // The same, under the name of the algorithm that the key is for.
            let named = try await Keys.hmac(Array(bytes.utf8)).token(header: #"{"alg":"\#(algorithm.rawValue)"}"#)
            #expect(alone.cause(named) == "wrong_signature")
        }
    }

    @Test(
        "an algorithm that is not listed is refused, be it close to one that is",
        arguments: ["es256", "ES256K", "ES384", "RS256", "PS256", "RS512", "HS256", "HS512", "EdDSA", "RS1", "ES256 "])
    func unlisted(_ name: String) async throws {
        let minter = try await Keys.of(.es256)
        let token = try minter.token(header: #"{"alg":"\#(name)"}"#)
        #expect(Rig(try await .backend(minter)).cause(token) == "algorithm_not_allowed")
    }

    @Test("a key serves its own algorithm only, where several are allowed")
    func mixed() async throws {
        let minters = [try await Keys.of(.es256), try await Keys.of(.rs256), try await Keys.of(.edDSA)]
        let rig = Rig(try await .backend(minters[0], minters[1], minters[2]))
        for minter in minters {
            #expect(rig.cause(try minter.token()) == "none")
            for other in minters where other.name != minter.name {
                #expect(
                    rig.cause(try minter.token(header: #"{"alg":"\#(other.name)"}"#)) == "wrong_signature")
            }
        }
    }

    @Test("an issuer's key does not vouch for another issuer's name or audience")
    func crossed() async throws {
        let (mine, theirs) = (try await Keys.of(.es256), try await Keys.p256())
        var other = try await TokenIssuer.backend(theirs, name: "theirs", app: "other")
        other.issuer = "https://theirs.example.com"
        let rig = Rig(try await .backend(mine), other)
        #expect(rig.cause(try theirs.token()) == "wrong_signature")
        let claims = Minter.claims(["iss": #""https://theirs.example.com""#])
        #expect(try rig.client(try theirs.token(claims: claims)).app == "other")
        #expect(rig.cause(try mine.token(claims: claims)) == "wrong_signature")
    }

    @Test("keys that a token brings itself are not looked at")
    func selfBrought() async throws {
        let (genuine, forger) = (try await Keys.of(.es256), try await Keys.p256())
        let rig = Rig(try await .backend(genuine))
        let jwk = JWKs.json(of: forger.key, id: nil)
        for field in [
            #""jwk":\#(jwk)"#, #""jku":"https://evil.example/jwks.json""#, #""x5u":"https://evil.example/c.pem""#,
            #""x5c":["MIIB"]"#, #""kid":"../../dev/null""#, #""kid":"' OR 1=1 --""#,
        ] {
            let header = #"{"alg":"ES256",\#(field)}"#
            #expect(rig.cause(try forger.token(header: header)) == "wrong_signature")
            #expect(rig.cause(try genuine.token(header: header)) == "none")
        }
    }

    @Test("an extension that must be understood is refused", arguments: [#"["b64"]"#, #"["exp"]"#, "[]", "1", "{}"])
    func critical(_ value: String) async throws {
        let minter = try await Keys.of(.es256)
        let token = try minter.token(header: #"{"alg":"ES256","b64":false,"crit":\#(value)}"#)
        #expect(Rig(try await .backend(minter)).cause(token) == "critical_header")
    }

    @Test("a token of which any one character was changed is refused", arguments: TokenAlgorithm.allCases)
    func changed(_ algorithm: TokenAlgorithm) async throws {
        let minter = try await Keys.of(algorithm)
        let rig = Rig(try await .backend(minter))
        let token = Array(try minter.token().utf8)
        for index in token.indices {
            for byte in [token[index] ^ 1, UInt8(ascii: "A"), UInt8(ascii: ".")] where byte != token[index] {
                var changed = token
                changed[index] = byte
                #expect(rig.cause(String(decoding: changed, as: UTF8.self)) != "none", "\(index): \(byte)")
            }
            #expect(rig.cause(String(decoding: token[..<index], as: UTF8.self)) != "none")
        }
    }

    @Test(
        "times of any size are read or refused",
        arguments: [
            "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e15", "1e308", "1e309",
            "-1e308", "-1e309", "1e-400", "0.1", "-0", "99999999999999999999999999999999999999999999",
        ])
    func times(number: String) async throws {
        let minter = try await Keys.of(.es256)
        let rig = Rig(try await .backend(minter))
        for claim in ["exp", "nbf", "iat"] {
            let cause = rig.cause(try minter.token(claims: Minter.claims([claim: number])))
            #expect(["none", "token_expired", "token_not_yet_valid", "bad_time", "malformed_token"].contains(cause))
        }
    }

    @Test("a signature of another kind or of something else is refused")
    func signatures() async throws {
        let minter = try await Keys.of(.es256)
        let rig = Rig(try await .backend(minter))
        let signed = try minter.token().split(separator: ".")[..<2].joined(separator: ".")
        let other = try minter.token(claims: Minter.claims(["sub": #""usr_2""#])).split(separator: ".")[2]
        #expect(rig.cause("\(signed).\(other)") == "wrong_signature")
        // r and s of nothing: CVE-2022-21449.
        for bytes in [
            [], Array(repeating: 0, count: 64), Array(repeating: 255, count: 64), [0x30, 6, 2, 1, 0, 2, 1, 0],
        ]
            as [[UInt8]]
        {
            #expect(rig.cause("\(signed).\(Minter.encode(bytes))") == "wrong_signature")
        }
    }

    @Test(
        "what is no token is refused before a signature is looked at",
        arguments: [
            "a.b.c", "..", "e30.e30.", "e30..", ".e30.e30", "e30=.e30=.e30=", "e30.e30.a+b/", "W10.W10.W10",
            "bnVsbA.bnVsbA.bnVsbA", "_w._w._w", "eyJhbGciOiJFUzI1NiJ9.W10.AA", "eyJhbGciOiJFUzI1NiJ9.e.AA",
            "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhbGciOiJFUzI1NiJ9 .e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.AA==",
            "eyJhbGciOiJFUzI1NiIsImtpZCI6N30.e30.AA",
        ])
    func malformed(_ text: String) async throws {
        #expect(Rig(try await .backend(try await Keys.of(.es256))).cause(text) == "malformed_token")
    }

    @Test("what has not three parts is no token", arguments: ["a.b", "a.b.c.d", "a.b.c.d.e", "."])
    func parts(_ text: String) async throws {
        #expect(Rig(try await .backend(try await Keys.of(.es256))).cause(text) == "unknown_key")
    }

    @Test("JSON as deep or as long as it can be does no harm, and too long a token is not read")
    func size() async throws {
        let minter = try await Keys.of(.es256)
        let rig = Rig(try await .backend(minter))
        let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        #expect(rig.cause(try minter.token(claims: Minter.claims(["x": deep]))) == "malformed_token")
        let nested = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(rig.cause(try minter.token(claims: Minter.claims(["x": nested]))) == "none")
        func padded(_ count: Int) throws -> String {
            try minter.token(claims: Minter.claims(["x": "\"" + String(repeating: "x", count: count) + "\""]))
        }
        #expect(rig.cause(try padded(5800)) == "none")
        #expect(try padded(6100).utf8.count > PresentedToken.mostBytes)
        #expect(rig.cause(try padded(6100)) == "token_too_long")
        #expect(rig.cause(String(repeating: "a", count: 8191) + "..") == "token_too_long")
    }
}
