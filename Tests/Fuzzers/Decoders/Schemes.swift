import Foundation
import Relay

@testable import Authentication

extension Fuzzer {
    /// Credentials in headers and queries. Nobody comes in who does not show the secret, and none stays in the query.
    static let schemes = Fuzzer(
        name: "Schemes", words: ["Bearer ", "Basic ", "Api-Key ", secret, "token=", "%74oken=", basic, "=="],
        seeds: { _ in
            [
                "\u{0}a=b&token=\(secret)&c=d", "\u{0}%74oken=\(secret)&token=x", "\u{1}\(secret)",
                "\u{2}Bearer \(secret)", "\u{3}Basic \(basic)", "\u{4}Bearer \(secret)", "\u{4}Api-Key  \(secret)",
                "\u{5}\(basic)", "\u{6}/\(secret)", "\u{6}/%63\(secret.dropFirst())/",
            ].map { Array($0.utf8) }
        },
        run: { input in
            let kind = input.byte() % 7
            // The reader lets no control character into a field or a query.
            let text = String(decoding: input.rest.filter { !$0.isControl }, as: UTF8.self)
            let secrets = [Secret(secret), Secret("user:\(secret)")]
            var request = Request(method: .post, path: "/hooks/fuzz", query: kind == 0 ? text : "")
            func isGenuine(_ scheme: some Scheme, _ field: Field) -> Bool {
                request.headers = Headers([field])
                return scheme.verify(&request) == .genuine
            }
            switch kind {
            case 0:
                let scheme = TokenScheme(secrets, in: .query("token"))
                let isIn = scheme.verify(&request) == .genuine
                claim(!isIn || text.contains(secret) || text.contains("%"), "let in with \(text)")
                guard case .refused(.noCredential, _) = scheme.verify(&request) else {
                    claim(false, "a token stayed in \(request.query)")
                    return
                }
            case 1:
                let scheme = TokenScheme(secrets, in: .header("X-Api-Key", prefix: ""))
                let isRight = text.isSameBytes(as: secret) || text.isSameBytes(as: "user:\(secret)")
                claim(isGenuine(scheme, Field("x-api-key", text)) == isRight, "judged wrongly: \(text)")
            case 2:
                let scheme = TokenScheme(secrets, in: .header("Authorization", prefix: "Bearer "))
                claim(!isGenuine(scheme, Field("authorization", text)) || text.contains(secret), "let in with \(text)")
            case 3:
                let isIn = isGenuine(BasicScheme(secrets), Field("Authorization", text))
                claim(!isIn || text.hasSuffix(basic) || text.hasSuffix(token), "let in with \(text)")
            case 4:
                let client = ClientKey(name: "fuzz", app: "main", scopes: [.write])
                let keys = ClientKeys([(client, secrets)])
                request.headers = Headers([Field("Authorization", text)])
                var proof = Proof()
                let isIn = (try? keys.client(of: request, &proof)) != nil
                claim(!isIn || text.hasSuffix(secret), "let in with \(text)")
            case 6:
                request.path += text
                let scheme = TokenScheme(secrets, in: .path)
                let isIn = scheme.verify(&request) == .genuine
                claim(!isIn || text.contains(secret) || text.contains("%"), "let in with \(text)")
                claim(!text.hasPrefix("/") || request.path == "/hooks/fuzz", "a token stayed in \(request.path)")
            default:
                // Foundation's reading, where it is as strict.
                guard let bytes = ByteEncoding.base64.decode(Array(text.utf8)) else { return }
                claim(Data(bytes).base64EncodedString() == text, "\(text) has two spellings")
            }
        })

    private static let secret = "c4n4ry-s3cret-0f-th1s-fuzzer"
    private static let basic = Data("user:\(secret)".utf8).base64EncodedString()
    private static let token = Data(secret.utf8).base64EncodedString()
}
