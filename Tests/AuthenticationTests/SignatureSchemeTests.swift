import Relay
import Testing

@testable import Authentication

/// What senders document, or their own libraries gave for these values. Tests/Signers does it again with the libraries
/// themselves, over sockets.
private enum Signed {
    static let ping = #"{"event_type":"ping","data":{"success":true}}"#
    static let time: Int64 = 1_731_705_121
    static let v1 = "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    static let olderV1 = "v1,ra7kgjOCnSSR5URJ70WM3QMv18NGuuwnmtI2W0CEQ1c="
    static let v1a = "v1a,72BzTrExfhGFUdJv1A30uL9zd7T9aPFuElKNBSNPqTOwLqBjBc+jRVg+94CgCT8ljRuY72fPbHNbxvi8+WEgDA=="
    static let discord =
        "d520779e5cb6677135517a66437f211f4115624bb3c002d58cef3b46c5ee0195"
        + "1e2b6b1b3aee440261c9103495280d93caf1b45e80397656bb34b9cf1ee3a80b"
    static let stripe = "v1=c4291116b4cf765187aa0d862b40a7d4ead378710c34fb035f0301ca729aada5"
    static let olderStripe = "v1=1f6b900e34773e49d3dfac2860d6033aed92aa490e403f200a0ebb0b33fe5bf4"
    static let github = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    static func key(_ preset: String, _ secret: String) throws -> SignatureKey {
        try #require(SignaturePreset.all.first { $0.name == preset }).key(Secret(secret))
    }

    static func standardWebhooks(_ secrets: String...) throws -> SignatureScheme {
        SignatureScheme(.standardWebhooks, keys: try secrets.map { try key("standard_webhooks", $0) })
    }

    static let secret = "whsec_plJ3nmyCDGBKInavdOK15jsl"
    static let olderSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let publicKey = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
}

/// One request, signed or nearly so.
private struct Sample {
    var headers: [Field]
    var body: [UInt8]
    var skew: Duration = .zero

    init(_ headers: KeyValuePairs<String, String>, _ body: String = Signed.ping) {
        self.headers = headers.map { Field($0, $1) }
        self.body = Array(body.utf8)
    }

    static func webhook(
        id: String = "msg_loFOjxBNrRLzqYUf", time: String = "\(Signed.time)", _ signature: String = Signed.v1
    ) -> Sample {
        Sample(["webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature])
    }

    func request(path: String = "/hooks/acme", query: String = "") -> Request {
        Request(
            method: .post, path: path, query: query, headers: Headers(headers), body: body,
            received: Timestamp(milliseconds: Signed.time * 1000) + skew)
    }

    func verdict(of scheme: SignatureScheme) -> Verdict {
        var request = request()
        return scheme.verify(&request).bare
    }
}

@Suite("Signatures")
struct SignatureSchemeTests {
    @Test(
        "every preset takes what its sender signs",
        arguments: [
            ("github", "It's a Secret to Everybody", Sample(["X-Hub-Signature-256": Signed.github], "Hello, World!")),
            ("stripe", "whsec_new", Sample(["Stripe-Signature": "t=\(Signed.time),\(Signed.stripe),v0=00"])),
            (
                "shopify", "hush", Sample(["X-Shopify-Hmac-Sha256": "YAwmsZhRaKfVZKB6qiQ7yaSsW41DDmGlNSCnpENJYFw="])
            ),
            ("standard_webhooks", Signed.secret, .webhook()),
            ("standard_webhooks", Signed.publicKey, .webhook(Signed.v1a)),
            (
                "svix", Signed.secret,
                Sample([
                    "svix-id": "msg_loFOjxBNrRLzqYUf", "svix-timestamp": "\(Signed.time)", "svix-signature": Signed.v1,
                ])
            ),
        ] as [(String, String, Sample)])
    private func presets(name: String, secret: String, sample: Sample) throws {
        let preset = try #require(SignaturePreset.all.first { $0.name == name })
        let scheme = SignatureScheme(preset.template, keys: [try preset.key(Secret(secret))])
        #expect(sample.verdict(of: scheme) == .genuine)
        for index in sample.body.indices {
            var changed = sample
            changed.body[index] ^= 1
            #expect(changed.verdict(of: scheme) == .refused(.wrongSignature))
        }
        var longer = sample
        longer.body.append(0)
        #expect(longer.verdict(of: scheme) == .refused(.wrongSignature))
        #expect(sample.verdict(of: SignatureScheme(preset.template, keys: [])) == .refused(.malformedCredential))
    }

    @Test("Slack's own example is taken")
    func slack() throws {
        let body =
            "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
            + "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
            + "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
            + "%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
        var request = Request(
            method: .post, path: "/",
            headers: Headers([
                Field("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
                Field("X-Slack-Request-Timestamp", "1531420618"),
            ]), body: Array(body.utf8), received: Timestamp(milliseconds: 1_531_420_618_000))
        let key = try Signed.key("slack", "8f742231b10e8888abcd99yyyzzz85a5")
        #expect(SignatureScheme(.slack, keys: [key]).verify(&request) == .genuine)
    }

    @Test("while secrets are rotated either is taken, of either kind, in any order, among others")
    func rotation() throws {
        let both = try Signed.standardWebhooks(Signed.olderSecret, Signed.publicKey, Signed.secret)
        for signature in [
            Signed.v1, Signed.olderV1, Signed.v1a, "\(Signed.v1a) \(Signed.v1)", "\(Signed.olderV1) v1,AAAA",
            "v2,x \(Signed.v1)", "v1,\(String(repeating: "A", count: 43))= \(Signed.v1)", "  \(Signed.v1a)  ",
        ] {
            #expect(Sample.webhook(signature).verdict(of: both) == .genuine, "\(signature)")
        }
        let stripe = SignatureScheme(.stripe, keys: [try Signed.key("stripe", "whsec_old")])
        let header = "t=\(Signed.time), \(Signed.stripe), \(Signed.olderStripe)"
        #expect(Sample(["stripe-signature": header]).verdict(of: stripe) == .genuine)
    }

    @Test(
        "a signature of one kind is none of another, and what is malformed is refused",
        arguments: [
            (.webhook(Signed.olderV1), .wrongSignature),
            (.webhook("v1," + Signed.v1a.dropFirst(4)), .malformedCredential),
            (.webhook("v1a," + Signed.v1.dropFirst(3)), .malformedCredential),
            (.webhook("v1a,\(String(repeating: "A", count: 86))=="), .wrongSignature),
            (.webhook(String(Signed.v1.dropLast(4))), .malformedCredential),
            (.webhook(Signed.v1 + "="), .malformedCredential), (.webhook("v1,"), .malformedCredential),
            (.webhook("v1"), .malformedCredential), (.webhook(""), .malformedCredential),
            (.webhook(","), .malformedCredential), (.webhook("v1,%%%"), .malformedCredential),
            (.webhook(String(Signed.v1.dropFirst(3))), .malformedCredential),
            (.webhook(Array(repeating: Signed.v1, count: 17).joined(separator: " ")), .malformedCredential),
            (.webhook(id: "msg_other"), .wrongSignature), (.webhook(id: ""), .wrongSignature),
            (.webhook(time: "1731705122"), .wrongSignature), (.webhook(time: "01731705121"), .wrongSignature),
            (.webhook(time: "1731705121.0"), .malformedCredential), (.webhook(time: ""), .malformedCredential),
            (.webhook(time: "-1731705121"), .malformedCredential), (.webhook(time: "0x6737bb61"), .malformedCredential),
            (.webhook(time: String(repeating: "9", count: 400)), .malformedCredential),
            (.webhook(time: "999999999999999"), .fromTheFuture), (.webhook(time: "0"), .stale),
            (Sample(["webhook-id": "m", "webhook-timestamp": "\(Signed.time)"]), .noCredential),
            (
                Sample(["webhook-id": "msg_loFOjxBNrRLzqYUf", "webhook-signature": Signed.v1]), .malformedCredential
            ),
            (
                Sample(["webhook-timestamp": "\(Signed.time)", "webhook-signature": Signed.v1]), .malformedCredential
            ),
        ] as [(Sample, Verdict.Reason)])
    private func refused(sample: Sample, reason: Verdict.Reason) throws {
        #expect(sample.verdict(of: try Signed.standardWebhooks(Signed.secret, Signed.publicKey)) == .refused(reason))
    }

    @Test("a header that stands twice is refused, also where both say the same", arguments: 0..<3)
    func doubled(index: Int) throws {
        var sample = Sample.webhook()
        sample.headers.append(sample.headers[index])
        #expect(
            sample.verdict(of: try Signed.standardWebhooks(Signed.secret)) == .refused(.malformedCredential))
    }

    @Test(
        "a time may be off by the tolerance, both ways, and no more",
        arguments: [
            (.seconds(300), .genuine), (.seconds(-300), .genuine), (.milliseconds(300_001), .refused(.stale)),
            (.milliseconds(-300_001), .refused(.fromTheFuture)),
        ] as [(Duration, Verdict)])
    func tolerance(skew: Duration, verdict: Verdict) throws {
        var sample = Sample.webhook()
        sample.skew = skew
        #expect(sample.verdict(of: try Signed.standardWebhooks(Signed.secret)) == verdict)
    }

    @Test("a parameter in a header stands there once", arguments: ["", "t=1731705121,t=1731705121,", "t=,", "T,"])
    func parameter(start: String) throws {
        let stripe = SignatureScheme(.stripe, keys: [try Signed.key("stripe", "whsec_new")])
        let sample = Sample(["Stripe-Signature": start + Signed.stripe])
        #expect(sample.verdict(of: stripe) == .refused(.malformedCredential))
    }

    @Test("the template names every part of a request, and a time in milliseconds")
    func everyPart() throws {
        let template = SignatureTemplate(
            header: "X-Sig", encoding: .base64url,
            signed: try SignedText("{method}|{path}|{query}|{header:X-Id}|{timestamp}|{body}"),
            timestamp: .init("X-Time"))
        let key = try SignatureKey.hmac(.sha512, Secret("AP/+"), as: .base64, prefix: "HMAC")
        let signature =
            "nQlTPbApZq77qWe_AYpPJ1yfMCDUC3YAksA2nxnIIrR0X4T84Knl971Ag31yp5TaJJKr4jKFGq4GIQM44Sg2Sw"
        let sample = Sample(["X-Sig": "HMAC \(signature)", "x-id": "m-1", "X-Time": "1731705121000"])
        let scheme = SignatureScheme(template, keys: [key])
        var request = sample.request(query: "a=1&b=%20")
        #expect(scheme.verify(&request) == .genuine)
        var others = [sample.request(query: "a=1&b= "), sample.request(path: "/hooks/acme/", query: "a=1&b=%20")]
        others.append(sample.request(query: "a=1&b=%20"))
        others[2].method = .put
        for var other in others { #expect(scheme.verify(&other).bare == .refused(.wrongSignature)) }
    }

    @Test(
        "every digest gives its published code",
        arguments: [
            (.sha1, "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),
            (.sha256, "F7BC83F430538424B13298E6AA6FB143EF4D59A14946175997479DBC2D1A3CD8"),
            (
                .sha384,
                "d7f4727e2c0b39ae0f1e40cc96f60242d5b7801841cea6fc592c5d3e1ae50700582a96cf35e1e554995fe4e03381c237"
            ),
            (
                .sha512,
                "b42af09057bac1e2d41708e48a902e09b5ff7f12ab428a4fe86653c73dd248fb"
                    + "82f948a549f7b791a5b41915ee4d1ec3935357e4e2317250d0372afa2ebeeb3a"
            ),
        ] as [(SignatureKey.Algorithm.Digest, String)])
    func digests(digest: SignatureKey.Algorithm.Digest, code: String) throws {
        let scheme = SignatureScheme(
            SignatureTemplate(header: "S", encoding: .hex), keys: [try .hmac(digest, Secret("key"))])
        let sample = Sample(["S": code], "The quick brown fox jumps over the lazy dog")
        #expect(sample.verdict(of: scheme) == .genuine)
    }

    @Test(
        "Discord's way to sign is the template with an Ed25519 key",
        arguments: [
            "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
            "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
            """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
            -----END PUBLIC KEY-----

            """,
        ])
    func ed25519(key: String) throws {
        let template = SignatureTemplate(
            header: "X-Signature-Ed25519", encoding: .hex, signed: try SignedText("{timestamp}{body}"),
            timestamp: .init("X-Signature-Timestamp"))
        let scheme = SignatureScheme(template, keys: [try .ed25519(Secret(key))])
        var sample = Sample(["X-Signature-Ed25519": Signed.discord, "X-Signature-Timestamp": "\(Signed.time)"])
        #expect(sample.verdict(of: scheme) == .genuine)
        sample.body[0] ^= 1
        #expect(sample.verdict(of: scheme) == .refused(.wrongSignature))
    }

    @Test("a compressed body is signed as it was sent")
    func compressed() throws {
        let scheme = SignatureScheme(.github, keys: [try Signed.key("github", "It's a Secret to Everybody")])
        var request = Sample(["X-Hub-Signature-256": Signed.github], "what it is when it is decompressed").request()
        request.compressedBody = Array("Hello, World!".utf8)
        #expect(scheme.verify(&request) == .genuine)
        request = Sample(["X-Hub-Signature-256": Signed.github], "Hello, World!").request()
        request.compressedBody = Array("what was sent".utf8)
        #expect(scheme.verify(&request).bare == .refused(.wrongSignature))
    }

    @Test("before the body is there, all that the head tells is checked")
    func recognized() throws {
        let scheme = try Signed.standardWebhooks(Signed.secret)
        func recognize(_ sample: Sample) -> Verdict {
            var sample = sample
            sample.body = []
            var head = sample.request()
            return scheme.recognize(&head).bare
        }
        #expect(recognize(.webhook()) == .genuine)
        #expect(recognize(.webhook(Signed.olderV1)) == .genuine)
        #expect(recognize(.webhook("garbage")) == .refused(.malformedCredential))
        #expect(recognize(.webhook(time: "1")) == .refused(.stale))
        #expect(recognize(Sample([:])) == .refused(.noCredential))
        var headless = Sample.webhook()
        headless.headers.removeFirst()
        #expect(recognize(headless) == .refused(.malformedCredential))
    }

    @Test("a refusal leaves lengths and the clock's difference for whoever looks for the cause")
    func evidence() throws {
        var sample = Sample.webhook(Signed.olderV1)
        sample.skew = .seconds(7)
        var request = sample.request()
        var expected = Evidence()
        expected.presentedBytes = 32
        expected.expectedBytes = [32, 64]
        expected.skew = .seconds(-7)
        expected.tolerance = .seconds(300)
        let scheme = try Signed.standardWebhooks(Signed.secret, Signed.publicKey)
        #expect(scheme.verify(&request) == .refused(.wrongSignature, expected))
    }

    @Test("nothing of a secret is to be seen in what keeps it")
    func opaque() throws {
        let scheme = SignatureScheme(.github, keys: [try Signed.key("github", "canary-5d1f")])
        var dumped = "\(scheme) \(String(reflecting: scheme))"
        dump(scheme, to: &dumped)
        #expect(!dumped.contains("canary"))
        #expect(!dumped.contains(Array("canary-5d1f".utf8).hexText))
    }
}

@Suite("Addresses")
struct AddressSchemeTests {
    private static let networks = ["203.0.113.0/24", "2001:db8::/32"].compactMap { Network($0) }

    @Test(
        "only who sends from one of the networks is let in",
        arguments: [
            ("203.0.113.9", true), ("::ffff:203.0.113.9", true), ("2001:db8:1::1", true), ("203.0.114.1", false),
            ("2001:db9::1", false), ("127.0.0.1", false), ("203.0.113.9:80", false), ("", false), ("unix", false),
        ])
    func addresses(peer: String, isAllowed: Bool) {
        var request = Request(method: .post, path: "/", peer: PeerAddress(peer))
        let scheme = AddressScheme(Self.networks)
        let expected = isAllowed ? Verdict.genuine : .refused(.wrongAddress)
        #expect(scheme.verify(&request) == expected)
        #expect(scheme.recognize(&request) == expected)
        #expect(AddressScheme([]).verify(&request) == .refused(.wrongAddress))
    }

    @Test(
        "address and credential must both be right",
        arguments: [
            ("203.0.113.9", "token=right", .genuine), ("203.0.113.9", "token=wrong", .refused(.wrongCredential)),
            ("127.0.0.1", "token=right", .refused(.wrongAddress)), ("127.0.0.1", "", .refused(.wrongAddress)),
        ] as [(String, String, Verdict)])
    func both(peer: String, query: String, verdict: Verdict) {
        var request = Request(method: .post, path: "/", query: query, peer: PeerAddress(peer))
        let scheme = AddressScheme(Self.networks, and: TokenScheme([Secret("right")], in: .query("token")))
        #expect(scheme.verify(&request).bare == verdict)
    }
}
