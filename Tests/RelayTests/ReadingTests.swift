import Testing

@testable import Relay

/// What a caller that asks hears for each thing that can become of the question.
struct ReadingCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let outcome: Outcome
    var answer: UpstreamAnswer?
    let status: Int
    var retryAfter: String?
    /// Nil where the upstream's body is relayed.
    var code: String?
}

private func said(_ status: Int, _ type: String = "application/json", _ body: String = "{ \"errors\" :[]}")
    -> UpstreamAnswer
{
    UpstreamAnswer(status: status, contentType: type, body: Array(body.utf8), requestID: "r-1")
}

private func failure(_ status: Int?, _ code: String = "x") -> Failure {
    Failure(status: status, code: code, message: "Why.")
}

private let readingCases = [
    ReadingCase(testDescription: "200", outcome: .applied, answer: said(200), status: 200),
    ReadingCase(
        testDescription: "no such profile", outcome: .profileMissing(failure(404)), answer: said(404), status: 404),
    ReadingCase(testDescription: "400", outcome: .rejected(failure(400), .unnamed), answer: said(400), status: 400),
    ReadingCase(
        testDescription: "401 is about our key", outcome: .misconfigured(failure(401)), answer: said(401), status: 503,
        retryAfter: "60", code: "unavailable"),
    ReadingCase(
        testDescription: "403 too", outcome: .misconfigured(failure(403)), answer: said(403), status: 503,
        retryAfter: "60", code: "unavailable"),
    ReadingCase(
        testDescription: "a 404 that is not Adapty's", outcome: .misconfigured(failure(404)),
        answer: said(404, "text/html"), status: 503, retryAfter: "60", code: "unavailable"),
    ReadingCase(
        testDescription: "429 with its wait, rounded up",
        outcome: .failed(failure(429), after: .milliseconds(6500), isOverload: true), answer: said(429), status: 429,
        retryAfter: "7"),
    ReadingCase(
        testDescription: "429 without one", outcome: .failed(failure(429), after: nil, isOverload: true),
        answer: said(429, "Application/JSON; charset=utf-8"), status: 429, retryAfter: "5"),
    ReadingCase(
        testDescription: "500 in Adapty's words", outcome: .failed(failure(500), after: nil, isOverload: false),
        answer: said(500), status: 500),
    ReadingCase(
        testDescription: "503 in Adapty's words", outcome: .failed(failure(503), after: .seconds(9), isOverload: false),
        answer: said(503), status: 503, retryAfter: "9"),
    ReadingCase(
        testDescription: "502 in a proxy's", outcome: .failed(failure(502), after: .zero, isOverload: false),
        answer: said(502, "text/html", "<html>"), status: 503, retryAfter: "1", code: "unavailable"),
    ReadingCase(
        testDescription: "no answer", outcome: .failed(failure(nil, "timeout"), after: nil, isOverload: false),
        status: 503, retryAfter: "5", code: "unavailable"),
    ReadingCase(testDescription: "given up", outcome: .abandoned, status: 503, retryAfter: "1", code: "unavailable"),
    ReadingCase(
        testDescription: "never sent: the id cannot be", outcome: .rejected(failure(nil, "bad_profile"), .all),
        status: 400,
        code: "validation_error"),
    ReadingCase(
        testDescription: "more than is read", outcome: .applied,
        answer: UpstreamAnswer(status: 200, body: [0x7b], isWhole: false), status: 503, retryAfter: "1",
        code: "unavailable"),
]

@Suite("Reading what Adapty holds")
struct ReadingTests {
    private func answer(_ stages: FakeStages, path: String = DropInPath.v2 + "/") async -> Response {
        await DocumentedAPI(stages, Answers(clock: ContinuousClock())).respond(to: Request(method: .get, path: path))
    }

    @Test("is answered with Adapty's words, or as our own fault", arguments: readingCases)
    func outcomes(_ reading: ReadingCase) async {
        var stages = FakeStages()
        stages.attempt = Attempt(outcome: reading.outcome, answer: reading.answer, duration: .zero)
        let response = await answer(stages)
        #expect(response.status == reading.status)
        #expect(response.header("Retry-After") == reading.retryAfter)
        if let code = reading.code {
            #expect(response.text.contains(#""error_code":"\#(code)","status_code":\#(reading.status)"#))
            #expect(response.account.refusal == code)
        } else {
            #expect(response.body == reading.answer?.body)
            #expect(response.header("Content-Type") == reading.answer?.contentType)
            #expect(response.header("Request-Id") == "r-1")
        }
        #expect(response.account.caller == "ios" && response.account.app == "main")
        #expect(response.account.profile == Patch.sample.profile)
        #expect(stages.submitted.all.isEmpty)
    }

    @Test("keeps the cause for the log and tells the caller nothing of it")
    func cause() async {
        var stages = FakeStages()
        let failure = Failure(status: 401, code: "unauthorized", message: "Invalid API key")
        stages.attempt = Attempt(outcome: .misconfigured(failure), answer: said(401), duration: .zero)
        let response = await answer(stages)
        #expect(response.account.cause == "upstream: 401 unauthorized: Invalid API key")
        #expect(!response.text.contains("key"))
    }

    @Test("a blank answer has no content type")
    func blank() async {
        var stages = FakeStages()
        stages.attempt = Attempt(outcome: .applied, answer: UpstreamAnswer(status: 200), duration: .zero)
        let response = await answer(stages)
        #expect(response.body.isEmpty && response.header("Content-Type") == nil)
    }

    @Test("is for known callers within every limit, the profile's too", arguments: ["key", "limit", "name", "profile"])
    func stages(stage: String) async {
        var stages = FakeStages()
        let refusal: Refusal
        switch stage {
        case "key":
            refusal = .forbidden("This API key may not read.")
            stages.authentication = refusal
        case "limit":
            refusal = Refusal(429, "rate_limited", "Too many", headers: [Field("Retry-After", "1")])
            stages.limit = refusal
        case "name":
            refusal = .noProfile
            stages.profile = .failure(refusal)
        default:
            refusal = Refusal(429, "rate_limited", "Too many", headers: [Field("Retry-After", "2")])
            stages.profileLimit = refusal
        }
        let response = await answer(stages)
        #expect(response.status == refusal.status && response.body == refusal.json)
        #expect(stages.read.all.isEmpty)
    }

    @Test("asks about the profile that is named")
    func asks() async {
        let stages = FakeStages()
        _ = await answer(stages)
        #expect(stages.read.all == [Patch.sample.profile])
        #expect(stages.limited.all == [Patch.sample.profile])
    }

    @Test("an app that speaks v1 upstream cannot be read, and is not asked")
    func version1() async {
        var stages = FakeStages()
        stages.version = .v1
        let response = await answer(stages)
        #expect(response.status == 405)
        #expect(response.header("Allow") == "POST")
        #expect(stages.read.all.isEmpty)
    }
}
