import Testing

@testable import Relay

/// A caller that may name one profile only.
struct SubjectTests {
    private static let id = ProfileReference.profileID(UniqueID(high: 1, low: 2))
    private static let received = Received(
        Request(method: .post, path: "/"), through: .client(vendor: "amplitude"))

    private func user(_ id: String) throws -> ProfileReference { try #require(.customerUserID(id)) }

    private func stages(_ subject: Subject, naming profiles: ProfileReference...) -> FakeStages {
        var stages = FakeStages()
        stages.client = ClientKey(name: "backend", app: "main", scopes: [.write, .read], subject: subject)
        let patches = profiles.map { Patch(profile: $0, identifiers: Patch.sample.identifiers) }
        stages.normalization = Normalization(patches: patches)
        if let first = profiles.first { stages.profile = .success(first) }
        return stages
    }

    private func intake(_ stages: FakeStages) -> Intake {
        Intake(
            authenticator: stages, limiter: stages, normalizer: stages, outbox: stages,
            apps: ["main": App(version: .v2, reader: stages)])
    }

    private static let elsewhere = Refusal(403, "forbidden", "This token speaks for another profile.")

    @Test("its own profile is written and read, under each name that is known")
    func own() async throws {
        let subject = Subject(Self.id, try user("u"))
        for profile in [Self.id, try user("u")] {
            let stages = stages(subject, naming: profile)
            #expect(try await intake(stages).accept(Self.received).accepted == 1)
            #expect(try await intake(stages).read(Self.received).profile == profile)
            #expect(stages.submitted.all.count == 1 && stages.read.all == [profile])
        }
    }

    @Test("another's is 403: nothing is spent of its limit, stored or asked")
    func other() async throws {
        let subject = Subject(try user("u"))
        // An id of Adapty's may be the same profile; it is not known to be.
        for profile in [try user("v"), try user("U"), try user("u "), Self.id] where profile != subject.reference {
            let stages = stages(subject, naming: profile)
            let refusal = try #require(
                await #expect(throws: Refusal.self) { try await intake(stages).accept(Self.received) })
            #expect(refusal == Self.elsewhere.of(.client(stages.client)))
            await #expect(throws: Refusal.self) { try await intake(stages).read(Self.received) }
            #expect(stages.limited.all.isEmpty && stages.submitted.all.isEmpty && stages.read.all.isEmpty)
        }
    }

    @Test("one patch of another's among its own is enough")
    func among() async throws {
        let stages = stages(Subject(try user("u")), naming: try user("u"), try user("v"))
        await #expect(throws: Refusal.self) { try await intake(stages).accept(Self.received) }
        #expect(stages.limited.all.isEmpty && stages.submitted.all.isEmpty)
    }

    @Test("users whose ids only look the same are two")
    func lookalikes() throws {
        let subject = Subject(try user("caf\u{e9}"))
        #expect(!subject.isMeant(by: try user("cafe\u{301}")))
        #expect(subject.isMeant(by: try user("caf\u{e9}")))
    }
}
