import Relay
import Testing

@Suite("The public API")
struct PublicAPITests {
    private static let dropInPath = DropInPath.v2
    private let answers = Answers(clock: ContinuousClock())

    private func api(_ stages: FakeStages) -> DocumentedAPI {
        DocumentedAPI(stages, answers)
    }

    @Test("a webhook is answered with what became of its patches and the id under which to find them")
    func acceptsWebhooks() async {
        let stages = FakeStages()
        let request = Request(method: .post, path: "/hooks/af", body: [1])
        let response = await api(stages).respond(to: request)
        #expect(response.status == 200)
        #expect(response.text == #"{"accepted":1,"unchanged":0,"skipped":0,"id":"\#(request.id)"}"#)
        #expect(stages.submitted.all.map(\.id) == [request.id])
        #expect(response.account.caller == "af")
        #expect(response.account.route == "/hooks/af")
    }

    @Test(
        "a token in the path leads to its source alone, and is in no log",
        arguments: [
            ("/hooks/by-path/canary", 200), ("/hooks/by-path/canary/", 200), ("/hooks/by-path/can/ary", 404),
            ("/hooks/by-path", 200), ("/hooks/af/canary", 404), ("/hooks/nobody/canary", 404),
            ("/hooks//by-path", 200), ("//hooks//by-path//canary", 200), ("/hooks/by-path%2Fcanary", 404),
        ])
    func tokenInPath(path: String, status: Int) async {
        let response = await api(FakeStages()).respond(to: Request(method: .post, path: path, body: [1]))
        #expect(response.status == status)
        #expect(response.account.route == (status == 200 ? "/hooks/by-path" : ""))
    }

    @Test("an event that comes to nothing is a success, counted with its reason, and nothing is stored")
    func skipsAreSuccess() async {
        var stages = FakeStages()
        stages.normalization = Normalization(skips: [Skip(.noProfile, "customer_user_id")])
        let response = await api(stages).respond(to: Request(method: .post, path: "/hooks/af"))
        #expect(response.status == 200)
        #expect(response.text.hasPrefix(#"{"accepted":0,"unchanged":0,"skipped":1,"#))
        #expect(response.account.skips.map(\.reason) == [.noProfile])
        #expect(stages.submitted.all.isEmpty)
    }

    @Test(
        "each stage's refusal answers the request, and nothing behind it runs",
        arguments: ["authentication", "limit", "reading", "storing"])
    func refusals(stage: String) async {
        var stages = FakeStages()
        let refusal: Refusal
        switch stage {
        case "authentication":
            refusal = .unauthorized(cause: "test")
            stages.authentication = refusal
        case "limit":
            refusal = Refusal(429, "rate_limited", "Too many", headers: [Field("Retry-After", "1")])
            stages.limit = refusal
        case "reading":
            refusal = .malformedBody("no")
            stages.reading = refusal
        default:
            refusal = .unavailable("The outbox is full.", retryAfter: 30, cause: "disk")
            stages.storing = .full("disk")
        }
        let response = await api(stages).respond(to: Request(method: .post, path: "/hooks/af"))
        #expect(response.status == refusal.status)
        #expect(Array(refusal.json) == response.body)
        #expect(response.account.refusal == refusal.code)
        for field in refusal.headers { #expect(response.header(field.name) == field.value) }
        #expect(stages.submitted.all.isEmpty)
    }

    @Test(
        "routes by path and method",
        arguments: [
            (Method.post, "/hooks/af", 200), (.get, "/hooks/af", 200), (.put, "/hooks/af/", 200),
            (.delete, "/hooks/af", 405), (.head, "/hooks/af", 200), (.patch, "/hooks/af", 200),
            (.post, "/hooks/other", 404),
            (.post, "/hooks/", 404), (.post, "/hooks/af/x", 404), (.post, "/hooks//af", 200),
            (.post, "//hooks/af//", 200), (.post, "//", 404), (.post, "//livez", 404), (.post, "/", 404),
            (.post, "/client/amplitude", 202), (.get, "/client/amplitude", 405), (.post, "/client/nobody", 404),
            (.post, dropInPath, 202), (.post, dropInPath + "/", 202), (.post, dropInPath + "//", 404),
            (.delete, dropInPath + "/", 405), (.get, dropInPath + "/", 200), (.head, dropInPath, 405),
            (.post, DropInPath.v1, 202), (.post, DropInPath.v1 + "/", 202), (.get, DropInPath.v1 + "/", 405),
            (.post, "/api/v3/" + DropInPath.suffix, 404), (.get, "/livez", 200), (.head, "/readyz", 200),
            (.post, "/livez", 405), (.get, "/metrics", 404), (.get, "/openapi.json", 200),
            (.head, "/openapi.json/", 200), (.post, "/openapi.json", 405), (.trace, "/livez", 405),
        ])
    func routes(method: Method, path: String, status: Int) async {
        let headers = Headers([Field("Prefer", "respond-async")])
        let response = await api(FakeStages()).respond(to: Request(method: method, path: path, headers: headers))
        #expect(response.status == status)
        if status == 405 { #expect(response.header("Allow") != nil) }
    }

    @Test("a refusal of somebody who is known is logged with the name", arguments: ["limit", "reading", "storing"])
    func refusalsHaveNames(stage: String) async {
        var stages = FakeStages()
        switch stage {
        case "limit":
            let headers = ["Retry-After", "RateLimit", "RateLimit-Policy"].map { Field($0, "1") }
            stages.limit = Refusal(429, "rate_limited", "Too many", headers: headers)
        case "reading": stages.reading = .malformedBody("no")
        default: stages.storing = .full("disk")
        }
        for path in ["/client/amplitude", "/hooks/af"] {
            let response = await api(stages).respond(to: Request(method: .post, path: path))
            #expect(response.account.caller == (path == "/hooks/af" ? "af" : "ios"))
            #expect(response.account.app == "main")
        }
    }

    @Test("a client is over its limit where its profile is")
    func profileLimit() async {
        var stages = FakeStages()
        stages.profileLimit = Refusal(429, "rate_limited", "Too many", headers: [Field("Retry-After", "1")])
        let response = await api(stages).respond(to: Request(method: .post, path: Self.dropInPath))
        #expect(response.status == 429)
        #expect(stages.limited.all == [Patch.sample.profile])
        #expect(stages.submitted.all.isEmpty)
    }

    @Test(
        "a client is told what Adapty said, status and body, byte for byte",
        arguments: [
            #"{"errors":["Profile not found"]}"#,
            "{ \"errors\" : [ {\"source\":null,\"errors\":[\"No\u{301}.\"]} ],\n\"error_code\":\"x\"}",
            "no JSON \u{0}\r\n",
        ])
    func relaysAnswers(body: String) async {
        let request = Request(method: .post, path: Self.dropInPath)
        let said = UpstreamAnswer(status: 404, body: Array(body.utf8), requestID: "r-1")
        async let response = api(FakeStages()).respond(to: request)
        while !answers.arrived(said, for: request.id) { await Task.yield() }
        #expect(await response.status == 404)
        #expect(await response.body == said.body)
        #expect(await response.header("Content-Type") == "application/json")
        #expect(await response.header("Request-Id") == "r-1")
    }

    @Test("when the wait is over the answer is 202 with the id, for the patch is durable and goes on")
    func waitEnds() async {
        let headers = Headers([Field("Prefer", "wait=0")])
        let request = Request(method: .post, path: Self.dropInPath, headers: headers)
        let response = await api(FakeStages()).respond(to: request)
        #expect(response.status == 202)
        #expect(response.text.contains(request.id.description))
    }

    @Test("an answer that is known not to come soon ends the wait at once")
    func hopelessWait() async {
        let headers = Headers([Field("Prefer", "wait=30")])
        let request = Request(method: .post, path: Self.dropInPath, headers: headers)
        async let response = api(FakeStages()).respond(to: request)
        while !answers.arrived(nil, for: request.id) { await Task.yield() }
        #expect(await response.status == 202)
    }

    @Test("a client that repeats what Adapty already holds gets Adapty's blank 200")
    func unchangedIsApplied() async {
        var stages = FakeStages()
        stages.dispositions = [.unchangedApplied]
        let response = await api(stages).respond(to: Request(method: .post, path: Self.dropInPath))
        #expect(response.status == 200)
        #expect(response.body.isEmpty)
    }

    @Test("a patch is marked as awaited only when its caller waits")
    func marksAwaited() async {
        let stages = FakeStages()
        let waits = Request(method: .post, path: Self.dropInPath, headers: Headers([Field("Prefer", "wait=1")]))
        async let first = api(stages).respond(to: waits)
        while !answers.arrived(UpstreamAnswer(status: 200), for: waits.id) { await Task.yield() }
        _ = await first
        let leaves = Request(method: .post, path: Self.dropInPath, headers: Headers([Field("prefer", "respond-async")]))
        let response = await api(stages).respond(to: leaves)
        #expect(response.header("Preference-Applied") == "respond-async")
        _ = await api(stages).respond(to: Request(method: .post, path: "/hooks/af"))
        #expect(stages.submitted.all.map(\.isAwaited) == [true, false, false])
    }

    @Test("readiness follows the store and the drain; liveness does not")
    func health() async {
        var stages = FakeStages()
        stages.storing = .full("disk")
        #expect(await api(stages).respond(to: Request(method: .get, path: "/readyz")).status == 503)
        #expect(await api(stages).respond(to: Request(method: .get, path: "/livez")).status == 200)
        let health = Health { true }
        #expect(!health.isReady)
        health.serve()
        #expect(health.isReady)
        health.drain()
        #expect(!health.isReady)
    }

    @Test(
        "what the listener refuses is said of the source, once its sender is believed; the credential may have followed"
    )
    func refusalsOfTheListener() {
        var stages = FakeStages()
        let refusal = Refusal(413, "payload_too_large", "x")
        let head = Request(method: .post, path: "//hooks/af")
        let known = api(stages).answer(refusal, to: head, isWhole: true)
        #expect((known.status, known.account.route, known.account.caller) == (413, "/hooks/af", "af"))
        stages.authentication = .unauthorized(cause: "wrong_credential")
        #expect(api(stages).answer(refusal, to: head, isWhole: true).status == 401)
        #expect(api(stages).answer(refusal, to: head, isWhole: false).status == 401)
        stages.authentication = .unauthorized(cause: "no_credential")
        #expect(api(stages).answer(refusal, to: head, isWhole: true).status == 401)
        let unknown = api(stages).answer(refusal, to: head, isWhole: false)
        #expect((unknown.status, unknown.account.route, unknown.account.caller) == (413, "", ""))
        let client = api(stages).answer(refusal, to: Request(method: .post, path: "/client/branch"), isWhole: true)
        #expect((client.status, client.account.route) == (413, "/client/branch"))
    }

    @Test("only sources take long bodies")
    func longBodies() {
        let api = api(FakeStages())
        for path in ["/hooks/af", "/hooks/af/", "//hooks/af", "/hooks/by-path/token"] {
            #expect(api.takesLongBodies(at: path))
        }
        for path in ["/client/branch", DropInPath.v2, "/hooks/nobody", "/hooks/af/token", "/"] {
            #expect(!api.takesLongBodies(at: path))
        }
    }

    @Test("a body that would be refused anyway is not asked for")
    func refusesEarly() {
        var stages = FakeStages()
        let head = Request(method: .post, path: "/hooks/af")
        #expect(api(stages).answerEarly(head) == nil)
        stages.authentication = .unauthorized(cause: "test")
        #expect(api(stages).answerEarly(head)?.status == 401)
        stages.authentication = nil
        stages.limit = Refusal(429, "rate_limited", "Too many", headers: [Field("Retry-After", "1")])
        #expect(api(stages).answerEarly(head)?.status == 429)
        #expect(api(stages).answerEarly(Request(method: .post, path: "/nowhere"))?.status == 404)
    }
}
