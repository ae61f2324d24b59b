import Foundation
import Relay

@testable import Authentication

extension Fuzzer {
    /// Tokens before their signature is believed, and the key sets of issuers.
    static let profileTokens = Fuzzer(
        name: "ProfileTokens", mostBytes: 2048,
        words: [
            "\"alg\":\"HS256\"", "\"kid\":", "\"crit\":[]", "\"exp\":", "1e308", "\"aud\":[", "\"sub\":",
            "\"kty\":\"RSA\"", "\"crv\":\"P-256\"", "\"kty\":\"EC\"", "\"kty\":\"OKP\"", "\"crv\":\"Ed25519\"",
            "\"n\":\"", "\"e\":\"AQAB\"",
        ],
        seeds: { _ in
            let header = #"{"alg":"HS256","kid":"a"}"#
            let claims = #"{"sub":"usr_1","aud":["patchbay"],"iss":"us","exp":1791966103,"nbf":1e3}"#
            let keys = [
                #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","#
                    + #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
                #"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},{"kty":"RSA","n":"AQAB","e":"AQAB"},{}]}"#,
            ]
            let tokens = ["\(header)\0\(claims)\0signature", "\(header)\0{}\0"].map { [0] + Array($0.utf8) }
            return tokens + [[1] + Array("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln".utf8)]
                + keys.map { [2] + Array($0.utf8) }
        },
        run: { input in
            switch input.byte() % 3 {
            case 0:
                // The parts as they read, so that it is their contents that change.
                let parts = [input.part(), input.part(), Array(input.rest)]
                judge(parts.map(encode).joined(separator: "."), signature: parts[2])
            case 1:
                judge(input.text, signature: nil)
            default:
                guard let set = try? KeySet(json: Array(input.rest), for: Set(TokenAlgorithm.allCases)) else { return }
                claim(!set.keys.isEmpty && set.unusable >= 0, "a set without keys")
                claim(set.keys.allSatisfy { $0.key.algorithm != .hs256 }, "a published secret is a key")
            }
        })

    /// Its keys have not come yet: everything but the signature is judged.
    private static let issuer: TokenIssuer = {
        var issuer = TokenIssuer(
            name: "fuzz", app: "main", scopes: [.write], algorithms: [.hs256, .es256], issuer: nil,
            audience: ["patchbay"], keys: TokenKeys(fetchedEvery: .seconds(60)))
        issuer.profileID = "profile"
        return issuer
    }()

    private static func judge(_ text: String, signature: [UInt8]?) {
        let now = Timestamp(milliseconds: 1_791_966_000_000)
        let bytes = Array(text.utf8)
        claim((try? ProfileTokens([issuer]) { now }.client(bytes[...])) == nil, "let in without a key")
        guard let token = try? PresentedToken(bytes[...], allowing: issuer.algorithms) else { return }
        claim(issuer.algorithms.contains(token.header.algorithm), "\(token.header.algorithm) is not allowed")
        claim(signature == nil || token.signature == signature, "the signature is another")
        let parts = [String(decoding: token.signed, as: UTF8.self), encode(token.signature)]
        claim(text == parts.joined(separator: "."), "one token has two spellings: \(text)")
        guard let client = try? issuer.client(token, at: now) else { return }
        claim(client.subject.map { isClean($0.reference.value) } == true, "the subject cannot stand in a header")
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}
