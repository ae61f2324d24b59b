import Testing

@testable import Relay

@Suite("Signed messages that come again")
struct RepeatTests {
    private static let start = Timestamp(milliseconds: 1_700_000_000_000)

    private func message(
        _ number: UInt32, at time: Timestamp = start, tolerance: Duration = .seconds(300)
    ) -> SignedMessage {
        var bytes = [UInt8](repeating: 0, count: 16)
        withUnsafeBytes(of: number) { bytes.replaceSubrange(4..<8, with: $0) }
        return SignedMessage(time: time, id: MessageDigest(bytes), tolerance: tolerance)
    }

    // MARK: What is remembered

    @Test("a message is known from its answer on, for the tolerance; one signed ahead of us for as long as it is good")
    func tolerance() {
        let answered = AnsweredMessages()
        let (plain, ahead) = (message(1), message(2, at: Self.start + .seconds(200)))
        #expect(!answered.contains(plain, at: Self.start))
        answered.remember(plain, at: Self.start)
        answered.remember(ahead, at: Self.start)
        #expect(answered.contains(plain, at: Self.start + .seconds(300)))
        #expect(!answered.contains(plain, at: Self.start + .milliseconds(300_001)))
        #expect(answered.contains(ahead, at: Self.start + .seconds(500)))
        #expect(!answered.contains(message(3), at: Self.start))
        // Signed anew and answered again, it is known from then on.
        answered.remember(message(1, at: Self.start + .seconds(250)), at: Self.start + .seconds(250))
        #expect(answered.contains(plain, at: Self.start + .seconds(550)))
    }

    @Test("beyond the bound the oldest are forgotten, what is over is dropped, and repeats take no room for ever")
    func bound() {
        let answered = AnsweredMessages(most: 2000)
        for number in 0..<10_000 as Range<UInt32> { answered.remember(message(number), at: Self.start) }
        #expect(answered.count == 2000)
        #expect(answered.contains(message(9999), at: Self.start) && answered.contains(message(8000), at: Self.start))
        #expect(!answered.contains(message(7999), at: Self.start))
        for second in 1...5000 {
            answered.remember(message(9999), at: Self.start + .milliseconds(second))
        }
        #expect(answered.contains(message(9999), at: Self.start + .seconds(300)))
        answered.remember(message(1), at: Self.start + .seconds(3600))
        #expect(answered.count == 1)
    }

    // MARK: In the pipeline

    /// Proves a message of every request; the body's first byte is its number.
    private struct Signed: Authenticator {
        let time: Timestamp
        func authenticate(_ received: inout Received) throws(Refusal) -> Caller {
            guard case .hook(let source) = received.entrance else { throw .unauthorized(cause: "test") }
            received.proof.message = SignedMessage(
                time: time, id: MessageDigest([UInt8](repeating: received.request.body.first ?? 0, count: 16)),
                tolerance: .seconds(300))
            return .source(source)
        }
    }

    private func api(_ stages: FakeStages, at time: Timestamp = start) -> PublicAPI {
        let source = Source(name: "acme", vendor: "branch", app: "main")
        return PublicAPI(
            intake: Intake(
                authenticator: Signed(time: time), limiter: stages, normalizer: stages, outbox: stages,
                apps: ["main": App(version: .v2, reader: stages)]),
            sources: ["acme": source], normalizer: stages, answers: Answers(clock: ContinuousClock()),
            health: Health { true })
    }

    private func post(_ api: PublicAPI, _ number: UInt8, at time: Timestamp = start) async -> Response {
        await api.respond(to: Request(method: .post, path: "/hooks/acme", body: [number], received: time))
    }

    @Test("a copy of what was answered 2xx is unchanged, and is not stored again; another message is")
    func copies() async {
        let stages = FakeStages()
        let api = api(stages)
        #expect(await post(api, 1).text.hasPrefix(#"{"accepted":1,"unchanged":0,"#))
        #expect(await post(api, 2).text.hasPrefix(#"{"accepted":1,"unchanged":0,"#))
        let copy = await post(api, 1, at: Self.start + .seconds(10))
        #expect(copy.status == 200 && copy.text.hasPrefix(#"{"accepted":0,"unchanged":1,"skipped":0,"#))
        #expect(copy.account.unchanged == 1 && copy.account.caller == "acme")
        #expect(stages.submitted.all.count == 2)
    }

    @Test("what was refused is not known: its copy is stored")
    func refused() async {
        var stages = FakeStages()
        stages.storing = .full("disk")
        let source = Source(name: "acme", vendor: "branch", app: "main")
        func api(_ stages: FakeStages) -> PublicAPI {
            PublicAPI(
                intake: Intake(
                    authenticator: Signed(time: Self.start), limiter: stages, normalizer: stages, outbox: stages,
                    apps: ["main": App(version: .v2, reader: stages)]),
                sources: ["acme": source], normalizer: stages, answers: Answers(clock: ContinuousClock()),
                health: Health { true })
        }
        #expect(await post(api(stages), 1).status == 503)
        stages.storing = nil
        #expect(await post(api(stages), 1).text.hasPrefix(#"{"accepted":1,"#))
        // The next front goes by what this one answered.
        #expect(await post(api(stages), 1).text.hasPrefix(#"{"accepted":0,"unchanged":1,"#))
        #expect(stages.submitted.all.count == 1)
    }

    @Test("of two copies at once neither is answered before it is durable")
    func together() async {
        let gate = GatedOutbox()
        let stages = FakeStages()
        let source = Source(name: "acme", vendor: "branch", app: "main")
        let api = PublicAPI(
            intake: Intake(
                authenticator: Signed(time: Self.start), limiter: stages, normalizer: stages, outbox: gate,
                apps: ["main": App(version: .v2, reader: stages)]),
            sources: ["acme": source], normalizer: stages, answers: Answers(clock: ContinuousClock()),
            health: Health { true })
        async let first = post(api, 1)
        async let second = post(api, 1)
        await gate.waitForArrivals(2)
        #expect(!source.answered.contains(message(0), at: Self.start))
        gate.open()
        #expect(await [first, second].map(\.status) == [200, 200])
        #expect(await post(api, 1).text.hasPrefix(#"{"accepted":0,"unchanged":1,"#))
    }

    @Test("the signed time is the time of a patch that has none, and of no other")
    func signedTime() async {
        let own = Timestamp(milliseconds: 1)
        var dated = Patch.sample
        dated.at = own
        var stages = FakeStages()
        stages.normalization = Normalization(patches: [.sample, dated])
        stages.dispositions = [.accepted, .accepted]
        _ = await post(api(stages, at: Self.start - .seconds(60)), 1)
        #expect(stages.submitted.all.flatMap(\.patches).map(\.at) == [Self.start - .seconds(60), own])
    }
}
