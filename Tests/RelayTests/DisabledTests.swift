import Testing

@testable import Relay

@Suite("What the configuration disables")
struct DisabledTests {
    private func api(_ stages: FakeStages, reader: (any Reader)?, isEnabled: Bool = true) -> PublicAPI {
        let source = Source(name: "acme", vendor: "branch", app: "main", isEnabled: isEnabled)
        return PublicAPI(
            intake: Intake(
                authenticator: stages, limiter: stages, normalizer: stages, outbox: stages,
                apps: ["main": App(version: .v2, reader: reader)]),
            sources: ["acme": source], normalizer: stages,
            answers: Answers(clock: ContinuousClock()) { _ in reader == nil }, health: Health { true })
    }

    private static let hook = Request(method: .post, path: "/hooks/acme", body: [1])
    private static let dropIn = Request(method: .post, path: DropInPath.v2, body: [1])

    @Test("a source that proved itself is told to come again, and nothing of it is kept or counted as its failure")
    func source() async {
        let stages = FakeStages()
        let api = api(stages, reader: stages, isEnabled: false)
        let response = await api.respond(to: Self.hook)
        #expect(response.status == 503 && response.header("Retry-After") == "60")
        #expect(response.account.cause == "disabled" && response.account.caller == "acme")
        #expect(stages.submitted.all.isEmpty)
        #expect(api.answerEarly(Self.hook)?.status == 503)
    }

    @Test("who does not prove itself hears of it what everybody hears")
    func stranger() async {
        var stages = FakeStages()
        stages.authentication = .unauthorized(cause: "test")
        let enabled = await api(stages, reader: stages).respond(to: Self.hook)
        let disabled = await api(stages, reader: stages, isEnabled: false).respond(to: Self.hook)
        #expect((disabled.status, disabled.body) == (enabled.status, enabled.body) && disabled.status == 401)
    }

    @Test("a client key is told to come again")
    func clientKey() async {
        var stages = FakeStages()
        stages.client = ClientKey(name: "ios", app: "main", scopes: [.write], isEnabled: false)
        let response = await api(stages, reader: stages).respond(to: Self.dropIn)
        #expect(response.status == 503 && response.header("Retry-After") == "60")
        #expect(response.account.caller == "ios" && stages.submitted.all.isEmpty)
    }

    @Test("what comes for an app is kept, and who waits is told so at once")
    func app() async {
        let stages = FakeStages()
        let api = api(stages, reader: nil)
        #expect(await api.respond(to: Self.hook).status == 200)
        let start = ContinuousClock.now
        let response = await api.respond(to: Self.dropIn)
        #expect(response.status == 202 && start.duration(to: .now) < .seconds(4))
        #expect(stages.submitted.all.count == 2)
        let reading = await api.respond(to: Request(method: .get, path: DropInPath.v2))
        #expect(reading.status == 503 && reading.header("Retry-After") == "60")
    }

    @Test("an app that is disabled says so, whatever its circuit said or says, until it no longer is")
    func conditions() {
        let conditions = DeliveryConditions(next: Nobody())
        let (old, new) = (Pipeline(app: "main"), Pipeline(app: "main"))
        let failure = Failure(status: 500, code: "x", message: "y")
        conditions.adopt([old])
        conditions.changed(old, to: .opened(failure))
        conditions.adopt([], disabled: ["main"])
        #expect(conditions.held == ["main": .disabled] && conditions.paused == ["main"] && conditions.isHeld("main"))
        // A straggler of the pipeline that it had.
        conditions.changed(old, to: .closed)
        #expect(conditions.held == ["main": .disabled])
        conditions.adopt([new])
        #expect(conditions.held.isEmpty && !conditions.isHeld("main"))
    }

    private struct Nobody: DeliveryObserver {
        func attempted(_ record: AttemptRecord) {}
        func changed(_ pipeline: Pipeline, to change: CircuitChange) {}
    }
}
