import Relay
import Testing

@testable import Configuration

private let publicKey = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"

private let surroundings = Surroundings.fake(
    [
        "WHSEC": "whsec_cGxhaW4gY2FuYXJ5N2YzYQ==", "WHPK": "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
        "WHSK": "whsk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", "HALF": "whsec_", "SHORT": "whpk_AAAA",
        "PUB": publicKey,
    ],
    files: [
        "/pem": """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
        -----END PUBLIC KEY-----

        """,
        "/private": "-----BEGIN PRIVATE KEY-----\ncanary7f3a\n-----END PRIVATE KEY-----\n",
    ])

private func yaml(_ auth: String) -> String {
    minimal + "sources:\n  s: { vendor: appsflyer, app: main, auth: { \(auth) } }\n"
}

struct SignatureConfigurationTests {
    private func signature(_ auth: String) throws -> (template: SignatureTemplate, keys: [SignatureKey]) {
        let proof = try #require(try load(yaml(auth), in: surroundings).sources.first).auth.proof
        guard case .signature(let template, let keys) = proof else {
            Issue.record("this is a signature")
            return (SignatureTemplate(header: "", encoding: .hex), [])
        }
        return (template, keys)
    }

    @Test("a template is what it says, and what it does not say has its default")
    func template() throws {
        let (least, leastKeys) = try signature("hmac: env:TOKEN, header: X-Signature")
        #expect(least == SignatureTemplate(header: "X-Signature", encoding: .hex))
        #expect(leastKeys.map(\.algorithm) == [.hmac(.sha256)])
        #expect(leastKeys.map { $0.key.reveal { $0 } } == [Array("canary7f3a2".utf8)])
        let (most, keys) = try signature(
            """
            hmac: [env:WHSEC, env:WHSEC], algorithm: sha512, key_encoding: base64, header: Paddle-Signature,
                encoding: base64url, prefix: 'h1=', separator: ';', timestamp: 'Paddle-Signature:ts', tolerance: 10s,
                signed: '{timestamp}:{body}|{header:X-Id}{method}{path}{query}'
            """)
        #expect((most.header, most.separator, most.encoding) == ("Paddle-Signature", ";", .base64url))
        #expect(
            most.signed.pieces == [
                .timestamp, ":", .body, "|", .header("X-Id"), .method, .path, .query,
            ])
        #expect(most.timestamp == .init("Paddle-Signature", parameter: "ts", tolerance: .seconds(10)))
        #expect(keys.map(\.prefix) == ["h1=", "h1="])
        #expect(keys.map { $0.key.reveal { $0 } }.first == Array("plain canary7f3a".utf8))
    }

    @Test("a preset is its template, with keys of its sender's kind", arguments: SignaturePreset.all.map(\.name))
    func presets(name: String) throws {
        let preset = try #require(SignaturePreset.all.first { $0.name == name })
        let (template, keys) = try signature("\(name): [env:WHSEC, env:WHSEC]")
        #expect(template == preset.template)
        #expect(keys.count == 2)
        guard preset.template.timestamp != nil else { return }
        #expect(try signature("\(name): env:WHSEC, tolerance: 30s").template.timestamp?.tolerance == .seconds(30))
    }

    @Test("shared secrets and public keys of Standard Webhooks may stand together")
    func standardWebhooks() throws {
        let keys = try signature("standard_webhooks: [env:WHSEC, env:WHPK]").keys
        #expect(keys.map(\.algorithm) == [.hmac(.sha256), .ed25519])
        #expect(keys.map(\.prefix) == ["v1,", "v1a,"])
    }

    @Test("a public key is read from hex and from PEM")
    func ed25519() throws {
        let keys = try signature("ed25519: [env:PUB, file:/pem], header: X-Signature-Ed25519").keys
        #expect(keys.map { $0.key.reveal(\.hexText) } == [publicKey, publicKey])
    }

    @Test("addresses stand alone, or beside another proof")
    func addresses() throws {
        let alone = try #require(try load(yaml("addresses: [203.0.113.0/24, 192.0.2.1]")).sources.first).auth
        #expect(alone.addresses?.map(\.description) == ["203.0.113.0/24", "192.0.2.1/32"])
        guard case .none = alone.proof else {
            Issue.record("nothing else is asked")
            return
        }
        let beside = try #require(
            try load(yaml("basic: env:BASIC, addresses: '2001:db8::/32'")).sources.first
        ).auth
        #expect(beside.addresses?.map(\.description) == ["2001:db8::/32"])
        #expect(try load(yaml("basic: env:BASIC")).sources.first?.auth.addresses == nil)
    }

    @Test(
        "what would prove nothing stops the start",
        arguments: [
            ("hmac: env:TOKEN", ["header: this is missing"]),
            ("hmac: env:EMPTY, header: S", ["hmac: the environment variable EMPTY is empty"]),
            ("hmac: env:TOKEN, header: S, key_encoding: base64", ["hmac: this secret is not base64"]),
            ("hmac: env:TOKEN, header: S, key_encoding: hex", ["hmac: this secret is not hex"]),
            ("hmac: env:HALF, header: S, key_encoding: base64", ["hmac: this secret is empty"]),
            ("standard_webhooks: env:TOKEN", ["standard_webhooks: this secret is not base64"]),
            ("svix: env:HALF", ["svix: this secret is empty"]),
            (
                "standard_webhooks: env:WHSK",
                [
                    "standard_webhooks: this is a private key, which only the sender may have; whpk_ is needed here"
                ]
            ),
            (
                "standard_webhooks: env:SHORT",
                ["standard_webhooks: this is no Ed25519 public key: 32 bytes in hex or base64, or PEM"]
            ),
            (
                "ed25519: env:TOKEN, header: S",
                ["ed25519: this is no Ed25519 public key: 32 bytes in hex or base64, or PEM"]
            ),
            (
                "ed25519: file:/private, header: S",
                ["ed25519: this is a private key, which only the sender may have; the public one is needed here"]
            ),
            ("hmac: file:/pem, header: S", ["hmac: the secret in file:/pem has a control character in it"]),
            (
                "hmac: env:TOKEN, header: S, algorithm: md5",
                ["algorithm: this is not one of sha1, sha256, sha384, sha512"]
            ),
            (
                "hmac: env:TOKEN, header: S, encoding: base32",
                ["encoding: this is not one of hex, base64, base64url"]
            ),
            (
                "hmac: env:TOKEN, header: S, signed: 'v0:{header:X-Id}'",
                ["signed: without {body} anybody could change what is sent; it must be signed"]
            ),
            (
                "hmac: env:TOKEN, header: S, signed: '{id}.{body}'",
                [
                    "signed: only {body}, {timestamp}, {header:NAME}, {method}, {path} and {query} can stand here"
                ]
            ),
            (
                "hmac: env:TOKEN, header: S, signed: '{body'",
                ["signed: there is a brace here without its other half"]
            ),
            (
                "hmac: env:TOKEN, header: S, signed: '{body}}'",
                ["signed: there is a brace here without its other half"]
            ),
            (
                "hmac: env:TOKEN, header: S, signed: '{timestamp}{body}'",
                ["signed: there is no timestamp that says where the time stands"]
            ),
            (
                "hmac: env:TOKEN, header: S, timestamp: T",
                ["timestamp: without {timestamp} in signed, anybody could change the time"]
            ),
            (
                "hmac: env:TOKEN, header: S, tolerance: 5m",
                ["tolerance: there is no timestamp that this could be about"]
            ),
            (
                "stripe: env:TOKEN, tolerance: 0s",
                ["tolerance: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"]
            ),
            ("github: env:TOKEN, tolerance: 5m", ["tolerance: there is no such key"]),
            (
                "hmac: env:TOKEN, header: S, signed: '{timestamp}{body}', timestamp: 'T:'",
                [
                    "timestamp: this is not the name of a header, such as X-Timestamp, or of a parameter in one, "
                        + "such as X-Signature:t"
                ]
            ),
            ("stripe: env:TOKEN, github: env:TOKEN", ["github: stripe stands here too; one of the two must go"]),
            (
                "hmac: env:TOKEN, headr: S",
                ["header: this is missing", "headr: there is no such key; did you mean \"header\"?"]
            ),
            (
                "standard_webhook: env:WHSEC",
                [
                    "there must be one of these here: "
                        + "token, basic, hmac, ed25519, standard_webhooks, svix, stripe, github, slack, shopify",
                    "standard_webhook: there is no such key; did you mean \"standard_webhooks\"?",
                ]
            ),
            ("addresses: []", ["addresses: this list is empty"]),
            ("addresses: [203.0.113.0/33]", ["addresses: this is not a network such as 10.0.0.0/8 or 2001:db8::/32"]),
            ("token: env:TOKEN, in: path, name: t", ["name: there is no such key"]),
        ] as [(String, [String])])
    func mistaken(auth: String, sentences: [String]) {
        let found = mistakes(in: yaml(auth), surroundings)
        #expect(
            found
                == sentences.map {
                    $0.hasPrefix("there") ? "line 5: sources.s.auth: \($0)" : "line 5: sources.s.auth.\($0)"
                })
        #expect(!found.joined().contains(Surroundings.canary))
    }
}
