import Crypto
import Foundation
import Relay

@testable import Authentication

/// Signs as senders do.
enum Signer {
    private static let secret = Array("canary-webhook-secret".utf8)

    static let scheme = SignatureScheme(
        .standardWebhooks, keys: [SignatureKey(.hmac(.sha256), Secret(secret), prefix: "v1,")])

    /// Standard Webhooks.
    static func webhook(_ id: String, at time: Timestamp, _ body: String, query: String = "") -> Request {
        let seconds = String(time.milliseconds / 1000)
        let signature = Data(code(secret, "\(id).\(seconds).\(body)")).base64EncodedString()
        let headers = [
            Field("webhook-id", id), Field("webhook-timestamp", seconds), Field("webhook-signature", "v1,\(signature)"),
        ]
        return Request(
            method: .post, path: "/hooks/acme", query: query, headers: Headers(headers), body: Array(body.utf8),
            received: time)
    }

    static func hex(_ secret: String, _ text: String) -> String {
        code(Array(secret.utf8), text).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func code(_ secret: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: secret)))
    }
}
