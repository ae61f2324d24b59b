import Foundation
import Relay

@testable import Authentication

extension Fuzzer {
    /// Signatures by every template, and profile tokens. Nobody here knows a key, so nobody comes in.
    static let signatures = Fuzzer(
        name: "Signatures", mostBytes: 2048,
        words: [
            "t=1700000000,", "v1=", "v1,", "v1a,", "sha256=", "v0=", "1700000000", "eyJhbGciOiJIUzI1NiJ9.",
            "\"alg\":\"none\"",
        ],
        seeds: { _ in
            let hex = String(repeating: "0a", count: 32)
            let base64 = Data(repeating: 7, count: 32).base64EncodedString()
            return [
                "\u{0}t=1700000000,v1=\(hex),v1=\(hex)", "\u{1}sha256=\(hex)", "\u{2}v0=\(hex)", "\u{3}\(base64)",
                "\u{4}v1,\(base64) v1a,\(base64)", "\u{5}v1,\(base64) v2,x",
                "\u{6}eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJ1In0.\(base64.dropLast())",
                "\u{6}eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0.",
            ].map { Array($0.utf8) }
        },
        run: { input in
            let kind = Int(input.byte()) % (SignaturePreset.all.count + 1)
            let text = String(decoding: input.rest.filter { !$0.isControl }, as: UTF8.self)
            guard kind < SignaturePreset.all.count else {
                // A token's three parts, as far as they can be read without a key.
                _ = try? PresentedToken(Array(text.utf8)[...], allowing: Set(TokenAlgorithm.allCases))
                return
            }
            let preset = SignaturePreset.all[kind]
            let template = preset.template
            guard let key = try? preset.key(Secret("whsec_YzRuNHJ5LXMzY3JldC0wZi10aDFzLWZ1enplcg==")) else { return }
            let scheme = SignatureScheme(template, keys: [key])
            let now = Timestamp(milliseconds: 1_700_000_000_000)
            for name in [template.header, template.timestamp?.header ?? "", "webhook-id", "svix-id"] {
                var request = Request(method: .post, path: "/hooks/fuzz", body: Array(text.utf8), received: now)
                request.headers = Headers([
                    Field(template.header, text), Field(name, name == template.header ? text : "1700000000"),
                    Field("webhook-id", "a"), Field("svix-id", "a"),
                ])
                claim(scheme.verify(&request) != .genuine, "let in with \(text)")
                _ = scheme.recognize(&request)
            }
        })
}
