import Relay
import Testing

@testable import Authentication

@Suite("What a genuine credential proves beside its sender")
struct ProofTests {
    private static let received = Timestamp(milliseconds: 1_700_000_000_000)
    private static let body = #"{"user":{"id":"u"}}"#

    private func proof(_ scheme: any Scheme, _ request: Request) -> Proof {
        var (request, proof) = (request, Proof())
        #expect(scheme.verify(&request, &proof).bare == .genuine)
        return proof
    }

    // MARK: Its place

    @Test("a token's place in the list, also behind an address, and behind an empty one", arguments: [1, 2, 4])
    func tokens(_ place: Int) {
        let secrets = ["first", "second", "", "fourth"].map { Secret($0) }
        let token = ["first", "second", "", "fourth"][place - 1]
        let request = Request(method: .post, path: "/", query: "token=\(token)")
        let scheme = TokenScheme(secrets, in: .query("token"))
        #expect(proof(scheme, request).place == place && scheme.secretCount == 4)
        let addressed = AddressScheme([Network("127.0.0.0/8")].compactMap { $0 }, and: scheme)
        #expect(proof(addressed, request).place == place && addressed.secretCount == 4)
    }

    @Test("a password's, a client key's and a signature's place; of the same secret twice the first")
    func others() throws {
        let basic = BasicScheme([Secret("a:b"), Secret("Aladdin:open sesame"), Secret("Aladdin:open sesame")])
        let headers = Headers([Field("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")])
        #expect(proof(basic, Request(method: .post, path: "/", headers: headers)).place == 2)

        let keys = ClientKeys([
            (ClientKey(name: "ios", app: "main", scopes: [.write]), [Secret("canary-1"), Secret("canary-2")])
        ])
        let client = Headers([Field("Authorization", "Api-Key canary-2")])
        var received = Received(Request(method: .post, path: "/", headers: client), through: .dropIn(.v2))
        let keeper = GateKeeper(schemes: [:], clientKeys: keys)
        _ = try keeper.authenticate(&received)
        #expect(received.proof.place == 2)

        let signed = SignatureScheme(
            .github, keys: try ["one", "two", "three"].map { try .hmac(.sha256, Secret($0), prefix: "sha256=") })
        let signature = Signer.hex("two", Self.body)
        let github = Headers([Field("X-Hub-Signature-256", "sha256=\(signature)")])
        let proof = proof(signed, Request(method: .post, path: "/", headers: github, body: Array(Self.body.utf8)))
        #expect(proof.place == 2 && signed.secretCount == 3)
        // No time is signed: nothing tells a copy from another event that says the same.
        #expect(proof.message == nil)
    }

    @Test("what is refused proves nothing, and a head alone is no use of a secret")
    func refused() {
        var proof = Proof()
        var request = Request(method: .post, path: "/", query: "token=wrong")
        _ = TokenScheme([Secret("right")], in: .query("token")).verify(&request, &proof)
        var signed = Signer.webhook("m", at: Self.received, Self.body)
        signed.body.append(0)
        _ = Signer.scheme.verify(&signed, &proof)
        #expect(proof == Proof())
    }

    // MARK: The message

    @Test("a message is its id and what it says, whenever it was signed; its time is the signature's")
    func standardWebhooks() {
        let first = proof(Signer.scheme, Signer.webhook("m", at: Self.received, Self.body)).message
        #expect(first?.time == Self.received && first?.tolerance == .seconds(300))
        let again = proof(Signer.scheme, Signer.webhook("m", at: Self.received + .seconds(9), Self.body)).message
        #expect(again?.id == first?.id && again?.time == Self.received + .seconds(9))
        let others = [
            Signer.webhook("n", at: Self.received, Self.body), Signer.webhook("m", at: Self.received, "{}"),
            Signer.webhook("m", at: Self.received, Self.body, query: "a=1"),
        ].map { proof(Signer.scheme, $0).message?.id }
        #expect(Set(others + [first?.id]).count == 4)
    }

    @Test("where a message has no id its time stands for it: Stripe, Slack, templates")
    func timestamped() throws {
        let key = try SignatureKey.hmac(.sha256, Secret("s"), prefix: "v0=")
        func message(at time: Timestamp, _ body: String) -> SignedMessage? {
            let seconds = String(time.milliseconds / 1000)
            let headers = Headers([
                Field("X-Slack-Request-Timestamp", seconds),
                Field("X-Slack-Signature", "v0=" + Signer.hex("s", "v0:\(seconds):\(body)")),
            ])
            let request = Request(
                method: .post, path: "/", headers: headers, body: Array(body.utf8), received: Self.received)
            return proof(SignatureScheme(.slack, keys: [key]), request).message
        }
        let first = message(at: Self.received, "a")
        #expect(first?.time == Self.received)
        #expect(message(at: Self.received, "a") == first)
        let others = [message(at: Self.received + .seconds(1), "a"), message(at: Self.received, "b")].map { $0?.id }
        #expect(Set(others + [first?.id]).count == 3)
    }

    @Test("a time that the signature does not cover is nobody's word")
    func unsignedTime() throws {
        let template = SignatureTemplate(
            header: "X-Signature", encoding: .hex, timestamp: .init("X-Timestamp"), messageID: "X-Id")
        let headers = Headers([
            Field("X-Signature", Signer.hex("s", Self.body)), Field("X-Timestamp", "1700000000"), Field("X-Id", "m"),
        ])
        let request = Request(
            method: .post, path: "/", headers: headers, body: Array(Self.body.utf8), received: Self.received)
        let scheme = SignatureScheme(template, keys: [try .hmac(.sha256, Secret("s"))])
        #expect(proof(scheme, request).message == nil)
    }
}
