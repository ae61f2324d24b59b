import Relay
import Testing

@testable import AdaptyAPI

@Suite("Secret keys")
struct KeyTests {
    private static func accepting(_ good: String) -> TestUpstream.Script {
        { $0.values(of: "Authorization") == ["Api-Key \(good)"] ? [http(200)] : [json(401, "unauthorized")] }
    }

    private static func keys(_ texts: String...) -> (inout AdaptyAPI.Settings) -> Void {
        { $0.secretKeys = texts.map { Secret($0) } }
    }

    @Test("on 401 the next key is tried, and the one that works is used from then on")
    func rotation() async throws {
        try await withAPI(settings: Self.keys("old", "new", "newest"), Self.accepting("new")) { api, upstream in
            for _ in 0..<3 { #expect(await api.set().outcome == .applied) }
            let sent = upstream.requests.flatMap { $0.values(of: "Authorization") }
            #expect(sent == ["Api-Key old", "Api-Key new", "Api-Key new", "Api-Key new"])
        }
    }

    @Test("the search goes around: a key before the current one may work again")
    func goesAround() async throws {
        try await withAPI(
            settings: Self.keys("a", "b"),
            { seen in
                let good = seen.number < 2 ? "b" : "a"
                return seen.values(of: "Authorization") == ["Api-Key \(good)"]
                    ? [http(200)] : [json(401, "unauthorized")]
            }
        ) { api, upstream in
            for _ in 0..<2 { #expect(await api.set().outcome == .applied) }
            let sent = upstream.requests.flatMap { $0.values(of: "Authorization") }
            #expect(sent == ["Api-Key a", "Api-Key b", "Api-Key b", "Api-Key a"])
        }
    }

    @Test("when no key works the app is misconfigured, after one request each")
    func noneWorks() async throws {
        try await withAPI(settings: Self.keys("a", "b"), Self.accepting("c")) { api, upstream in
            let outcome = await api.set().outcome
            #expect(outcome == .misconfigured(Failure(status: 401, code: "unauthorized", message: "No.")))
            #expect(upstream.requests.count == 2)
        }
    }

    @Test("only 401 asks for another key", arguments: [403, 404, 429, 500])
    func otherStatus(status: Int) async throws {
        try await withAPI(settings: Self.keys("a", "b"), { _ in [http(status)] }) { api, upstream in
            _ = await api.set()
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("a key that a good answer quotes does not reach whoever asked")
    func quotedInSuccess() async throws {
        let key = "secret_live_abc.def"
        try await withAPI({ _ in [http(200, #"{"branch_id":"\#(key)"}"#, "Content-Type: application/json")] }) {
            api, _ in
            let stars = String(repeating: "*", count: key.utf8.count)
            let body = Array(#"{"branch_id":"\#(stars)"}"#.utf8)
            #expect(await api.read(somebody).answer?.body == body)
            #expect(await api.set().answer?.body == body)
        }
    }

    @Test("a key that an answer quotes is neither in the failure nor in the body")
    func quotedKey() async throws {
        let key = "secret_live_abc.def"
        try await withAPI(settings: Self.keys(key), { _ in [json(401, "unauthorized", "Bad key \(key)!")] }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.failure?.message == "Bad key *******************!")
            #expect(attempt.answer.map { !String(decoding: $0.body, as: UTF8.self).contains(key) } == true)
        }
    }

    @Test("a key that an answer writes with escapes, or in a field, reaches neither words nor fields")
    func quotedElsewhere() async throws {
        let key = "secret_live_abc.def"
        let escaped = key.replacing("_", with: "\\u005f")
        let body = #"{"errors":["Bad key \#(escaped)!"],"error_code":"\#(escaped)"}"#
        let fields = ["Content-Type: application/json; k=\(key)", "Request-Id: \(key)"]
        try await withAPI({ _ in [http(400, body, fields[0], fields[1])] }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.name == "rejected")
            #expect(attempt.outcome.failure?.message == "Bad key *******************!")
            let fields = "\(attempt.answer?.contentType ?? "") \(attempt.answer?.requestID ?? "")"
            #expect(!"\(attempt.outcome)".contains(key))
            #expect(!fields.contains(key))
        }
    }

    @Test(
        "no trouble puts a key into words",
        arguments: [[TestUpstream.Step.reset], [.hold], [.send("secret_live_abc.def\r\n\r\n")]])
    func troubleIsSilent(steps: [TestUpstream.Step]) async throws {
        try await withAPI(settings: { $0.timeout = .milliseconds(100) }, { _ in steps }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.name == "failed")
            #expect(!"\(attempt)".contains("secret_live"))
        }
    }

    @Test(
        "a key that no header can carry stops the start and is not quoted", arguments: ["", "a\r\nb", "key\n", "k\0"])
    func badKey(text: String) {
        do {
            _ = try KeyRing([Secret("good"), Secret(text)])
            Issue.record("accepted")
        } catch {
            #expect(error.key == "secret_key")
            #expect(error.message.hasPrefix("Key 2 cannot be sent"))
        }
    }

    @Test("no key at all stops the start")
    func noKey() {
        #expect(throws: AdaptyAPI.Settings.Mistake.self) { try KeyRing([]) }
    }
}
