import Authentication
import Crypto
import Relay

extension Fuzzer {
    /// Signatures over the body, and what senders write around them. Nobody comes in without the key, and who has it
    /// comes in with what was signed and with nothing else.
    static let signatures = Fuzzer(
        name: "Signatures",
        words: ["v1,", "v1a,", "v1=", "v0=", "t=1791966000", "1791966000", "sha256=", "whsec_", " v1,", ",v1="],
        seeds: { _ in
            let hex = String(repeating: "757107ea0eb2509f", count: 4)
            let base64 = "rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
            return [
                ["v1,\(base64) v1,\(base64)", "1791966000", "msg_1"], ["t=1791966000,v1=\(hex),v0=\(hex)", "", ""],
                ["sha256=\(hex)", "", ""], ["v0=\(hex)", "1791966000000", ""], [base64, "", ""],
            ].flatMap { fields in
                (UInt8(0)...11).map {
                    [$0] + Array((fields + [#"{"event_type":"ping"}"#]).joined(separator: "\0").utf8)
                }
            }
        },
        run: { input in
            let choice = Int(input.byte()) % (2 * SignaturePreset.all.count)
            let preset = SignaturePreset.all[choice / 2]
            var fields = [Field(preset.template.header, clean(input.part()))]
            if let place = preset.template.timestamp { fields.append(Field(place.header, clean(input.part()))) }
            fields.append(Field("webhook-id", clean(input.part())))
            let body = Array(input.rest)
            if choice % 2 == 0 {
                guard let key = try? preset.key(Secret("whsec_plJ3nmyCDGBKInavdOK15jsl")) else { return }
                let scheme = SignatureScheme(preset.template, keys: [key])
                var forged = request(fields, body)
                claim(scheme.verify(&forged) != .genuine, "\(preset.name): let in without the key")
                _ = scheme.recognize(&forged)
            } else {
                let secret = Array("c4n4ry-s3cret-0f-th1s-fuzzer".utf8)
                let scheme = SignatureScheme(.github, keys: [.init(.hmac(.sha256), Secret(secret), prefix: "sha256=")])
                let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: secret))
                let digits = code.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
                let signed = [Field(SignatureTemplate.github.header, "sha256=" + digits)]
                var genuine = request(signed, body)
                claim(scheme.verify(&genuine) == .genuine, "what was signed was refused")
                var altered = request(signed, body + [0])
                claim(scheme.verify(&altered) != .genuine, "what was not signed was let in")
            }
        })

    private static func request(_ fields: [Field], _ body: [UInt8]) -> Request {
        Request(
            method: .post, path: "/hooks/fuzz", headers: Headers(fields), body: body,
            received: Timestamp(milliseconds: 1_791_966_000_000))
    }

    /// The reader lets no control character into a field.
    private static func clean(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.filter { !$0.isControl }, as: UTF8.self)
    }
}
