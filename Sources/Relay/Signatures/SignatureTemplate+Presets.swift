/// A sender that many have heard of: a template filled in.
package struct SignaturePreset: Sendable {
    /// Its key in the configuration.
    package let name: String
    package let template: SignatureTemplate
    /// What a secret of this sender is.
    package let key: @Sendable (Secret) throws(SignatureKey.Unreadable) -> SignatureKey

    package static let all = [
        SignaturePreset(name: "standard_webhooks", template: .standardWebhooks, key: SignatureKey.standardWebhooks),
        SignaturePreset(name: "svix", template: .svix, key: SignatureKey.standardWebhooks),
        SignaturePreset(name: "stripe", template: .stripe, prefix: "v1="),
        SignaturePreset(name: "github", template: .github, prefix: "sha256="),
        SignaturePreset(name: "slack", template: .slack, prefix: "v0="),
        SignaturePreset(name: "shopify", template: .shopify, prefix: ""),
    ]
}

extension SignaturePreset {
    /// One whose secrets are keys of HMAC-SHA256 as they stand.
    private init(name: String, template: SignatureTemplate, prefix: String) {
        self.init(name: name, template: template) { secret throws(SignatureKey.Unreadable) in
            try .hmac(.sha256, secret, prefix: prefix)
        }
    }
}

// Each says where the sender documents it.

extension SignatureTemplate {
    /// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: `v1` is HMAC, `v1a`
    /// is Ed25519; the key says which.
    package static let standardWebhooks = standardWebhooks(headers: "webhook")

    /// https://docs.svix.com/receiving/verifying-payloads/how-manual: the same, under older names.
    package static let svix = standardWebhooks(headers: "svix")

    /// https://docs.stripe.com/webhooks/signature: `t=1492774577,v1=5257a8...,v1=...,v0=...`
    package static let stripe = SignatureTemplate(
        header: "Stripe-Signature", encoding: .hex, signed: SignedText([.timestamp, ".", .body]),
        timestamp: TimestampPlace("Stripe-Signature", parameter: "t"))

    /// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    package static let github = SignatureTemplate(header: "X-Hub-Signature-256", encoding: .hex)

    /// https://docs.slack.dev/authentication/verifying-requests-from-slack
    package static let slack = SignatureTemplate(
        header: "X-Slack-Signature", encoding: .hex, signed: SignedText(["v0:", .timestamp, ":", .body]),
        timestamp: TimestampPlace("X-Slack-Request-Timestamp"))

    /// https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    package static let shopify = SignatureTemplate(header: "X-Shopify-Hmac-Sha256", encoding: .base64)

    private static func standardWebhooks(headers prefix: String) -> SignatureTemplate {
        SignatureTemplate(
            header: "\(prefix)-signature", separator: " ", encoding: .base64,
            signed: SignedText([.header("\(prefix)-id"), ".", .timestamp, ".", .body]),
            timestamp: TimestampPlace("\(prefix)-timestamp"), messageID: "\(prefix)-id")
    }
}

extension SignedText.Piece: ExpressibleByStringLiteral {
    package init(stringLiteral text: StaticString) {
        self = text.withUTF8Buffer { .literal(Array($0)) }
    }
}
