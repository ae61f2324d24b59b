import Testing

@testable import Relay

@Suite("The two versions of the API")
struct VersionTests {
    private let answers = Answers(clock: ContinuousClock())

    private func stages(_ version: APIVersion, _ values: [Identifier: String]) -> FakeStages {
        var stages = FakeStages()
        stages.version = version
        stages.normalization = Normalization(patches: [
            Patch(profile: Patch.sample.profile, identifiers: IntegrationIdentifiers(values))
        ])
        return stages
    }

    private func post(
        _ stages: FakeStages, _ path: String, _ preference: String = "respond-async"
    ) async -> Response {
        let request = Request(method: .post, path: path, headers: Headers([Field("Prefer", preference)]))
        return await DocumentedAPI(stages, answers).respond(to: request)
    }

    @Test(
        "an app that speaks v1 upstream is told what v1 knows, whichever door it came through",
        arguments: [DropInPath.v1, DropInPath.v2, "/client/branch", "/hooks/af"])
    func limited(path: String) async {
        let stages = stages(.v1, [.posthogDistinctUserID: "p", .branchID: "b"])
        _ = await post(stages, path)
        #expect(
            stages.submitted.all.map { $0.patches.map(\.identifiers) } == [[IntegrationIdentifiers([.branchID: "b"])]])
    }

    @Test("an app that speaks v2 is told all of it")
    func unlimited() async {
        let stages = stages(.v2, [.posthogDistinctUserID: "p", .branchID: "b"])
        _ = await post(stages, DropInPath.v2)
        #expect(stages.submitted.all.first?.patches.first?.identifiers.count == 2)
    }

    @Test(
        "a caller that sends nothing that its app's v1 knows has nothing to set",
        arguments: [DropInPath.v2, "/client/branch"])
    func nothingLeft(path: String) async {
        let stages = stages(.v1, [.posthogDistinctUserID: "p", .oneSignalPlayerID: "o"])
        let response = await post(stages, path)
        #expect(response.status == 400 && response.body == Refusal.nothingToSet.json)
        #expect(stages.submitted.all.isEmpty)
    }

    @Test("a webhook of such ids alone is skipped with the reason, not refused")
    func webhook() async {
        let stages = stages(.v1, [.posthogDistinctUserID: "p"])
        let response = await post(stages, "/hooks/af")
        #expect(response.status == 200)
        #expect(response.text.contains(#""skipped":1"#))
        #expect(
            response.account.skips == [Skip(.notApplicable, "posthog_distinct_user_id: not in v1 of the API")])
    }

    @Test(
        "only a caller that waits for v1's answer insists on it: v1 answers with the profile, and nobody else has it",
        arguments: [
            (APIVersion.v1, "wait=5", true), (.v1, "respond-async", false), (.v2, "wait=5", false),
        ])
    func insists(version: APIVersion, preference: String, expected: Bool) async {
        let stages = stages(version, [.branchID: "b"])
        let request = Request(
            method: .post, path: DropInPath.v2, headers: Headers([Field("Prefer", preference)]))
        async let response = DocumentedAPI(stages, answers).respond(to: request)
        if preference != "respond-async" {
            while !answers.arrived(UpstreamAnswer(status: 200), for: request.id) { await Task.yield() }
        }
        _ = await response
        #expect(stages.submitted.all.map(\.isInsistent) == [expected])
    }

    @Test("v1's profile is relayed as it came")
    func profile() async {
        let said = UpstreamAnswer(
            status: 200, contentType: "application/json; charset=utf-8", body: Array(#"{"data": {}}"#.utf8))
        let request = Request(method: .post, path: DropInPath.v1)
        async let response = DocumentedAPI(stages(.v1, [.branchID: "b"]), answers).respond(to: request)
        while !answers.arrived(said, for: request.id) { await Task.yield() }
        #expect(await response.body == said.body)
        #expect(await response.header("Content-Type") == said.contentType)
    }

    @Test("an answer that was cut short is not relayed: the patch was taken, and that is what is said")
    func cutShort() async {
        let request = Request(method: .post, path: DropInPath.v1)
        async let response = DocumentedAPI(stages(.v1, [.branchID: "b"]), answers).respond(to: request)
        let said = UpstreamAnswer(status: 200, body: Array(#"{"da"#.utf8), isWhole: false)
        while !answers.arrived(said, for: request.id) { await Task.yield() }
        #expect(await response.status == 202)
        #expect(await response.text.contains(request.id.description))
    }
}
