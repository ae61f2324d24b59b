import Relay
import Testing

@testable import Vendors

@Suite("Mixpanel's dialect")
struct MixpanelDialectTests {
    private static func answer(_ refusal: Refusal, to body: String) throws -> Response {
        try VendorCatalog().dialect(of: "mixpanel").answer(refusal, to: Sample.request(body))
    }

    @Test("says success, with the action that was asked")
    func success() async throws {
        let stages = EveryStage()
        let catalog = try VendorCatalog()
        let intake = Intake(
            authenticator: stages, limiter: stages, normalizer: catalog, outbox: stages,
            apps: ["main": App(version: .v2, reader: stages)])
        let request = try Sample.request(fixture: "mixpanel-1.json")
        let receipt = try await intake.accept(Received(request, through: .hook(EveryStage.source)))
        let response = catalog.dialect(of: "mixpanel").answer(receipt, to: request)
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self) == #"{"action":"members","status":"success"}"#)
        #expect(receipt.accepted == 2)
        #expect(receipt.skips.map(\.reason) == [.noProfile])
    }

    @Test("answers only a bad credential with a status that pauses the sync")
    func failure() throws {
        let body = #"{"action":"add_members","parameters":{}}"#
        let unauthorized = try Self.answer(.unauthorized(cause: "x"), to: body)
        #expect(unauthorized.status == 401)
        #expect(
            String(decoding: unauthorized.body, as: UTF8.self)
                == #"{"action":"add_members","status":"failure","error":{"message":"Invalid API key","code":401}}"#)
        for refusal in [Refusal.notFound, .unsupportedMediaType, .malformedBody("x"), .forbidden("x")] {
            #expect(try Self.answer(refusal, to: body).status == 200)
        }
        let unavailable = try Self.answer(.unavailable("x", retryAfter: 5, cause: "y"), to: body)
        #expect(unavailable.status == 503)
        #expect(unavailable.headers.contains(Relay.Field("Retry-After", "5")))
        #expect(try Self.answer(Refusal(429, "rate_limited", "x"), to: body).status == 429)
    }

    @Test(
        "leaves the action out where none can be read, and cuts a long one",
        arguments: ["{", "", "[]", #"{"action":5}"#])
    func action(_ body: String) throws {
        let response = try Self.answer(.malformedBody("x"), to: body)
        #expect(
            String(decoding: response.body, as: UTF8.self)
                == #"{"status":"failure","error":{"message":"x","code":400}}"#)
        let long = try Self.answer(.malformedBody("x"), to: #"{"action":"\#(String(repeating: "é", count: 5000))"}"#)
        #expect(long.body.count < 300)
    }

    @Test("is spoken to Mixpanel alone")
    func others() throws {
        let catalog = try VendorCatalog()
        for vendor in catalog.vendorNames where vendor != "mixpanel" {
            #expect(catalog.dialect(of: vendor) is PolicyDialect)
        }
    }
}

/// Lets everybody in, and keeps everything.
private struct EveryStage: Authenticator, Limiter, Outbox, Reader {
    static let source = Source(name: "mixpanel", vendor: "mixpanel", app: "main")

    func authenticate(_ received: inout Received) throws(Refusal) -> Caller { .source(Self.source) }
    func admit(_ authenticated: Authenticated) throws(Refusal) {}
    func wouldAdmit(_ authenticated: Authenticated) throws(Refusal) {}
    func mayProve(_ received: Received) throws(Refusal) {}
    func failed(_ received: Received) {}
    func admit(_ profile: ProfileReference, of caller: Caller) throws(Refusal) {}

    func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition] {
        submission.patches.map { _ in .accepted }
    }
    func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim {
        Claim(deliveries: [], nextDue: nil, hasMore: false)
    }
    func settle(_ delivery: Delivery, as settlement: Settlement) {}
    func census() async -> [Census] { [] }
    var isWritable: Bool { true }
    func read(_ profile: ProfileReference) async -> Attempt {
        Attempt(outcome: .abandoned, answer: nil, duration: .zero)
    }
}
