import Glibc
import Relay
import Testing

@testable import AdaptyAPI

@Suite("What is sent")
struct RequestTests {
    private static let path = "/server-side-api/integration/profile/set/integration-identifiers/"

    @Test("a patch is one POST with exactly these lines and this body")
    func exactBytes() async throws {
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            let attempt = await api.set()
            #expect(attempt.outcome == .applied)
            #expect(attempt.answer?.status == 200)
            #expect(attempt.answer?.body == [])
            let request = try #require(upstream.requests.first)
            #expect(
                request.lines
                    == [
                        "POST /api/v2\(Self.path) HTTP/1.1", "Host: 127.0.0.1:\(upstream.port)",
                        "adapty-customer-user-id: user-1", "User-Agent: patchbay", "Accept: */*",
                        "Content-Type: application/json", "Authorization: Api-Key secret_live_abc.def",
                        "Content-Length: 40",
                    ].reordered(as: request.lines))
            #expect(request.body == #"{"appsflyer_id":"1741933337626-3179568"}"#)
        }
    }

    @Test("a profile id goes in its own header, and alone")
    func profileID() async throws {
        let id = try #require(ProfileReference.profileID("A3B60D2E-9E57-4F41-8D1C-5A2F4E6B7C8D"))
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            _ = await api.set(id)
            let request = try #require(upstream.requests.first)
            #expect(request.values(of: "adapty-profile-id") == ["a3b60d2e-9e57-4f41-8d1c-5a2f4e6b7c8d"])
            #expect(request.values(of: "adapty-customer-user-id") == [])
        }
    }

    @Test("v1 gets its own path and only its thirteen fields")
    func legacyVersion() async throws {
        try await withAPI(settings: { $0.version = .v1 }, { _ in [http(200, "{}")] }) { api, upstream in
            var identifiers = IntegrationIdentifiers.appsflyer
            identifiers[.posthogDistinctUserID] = .text("p")
            let attempt = await api.set(identifiers, of: somebody)
            #expect(attempt.outcome == .applied)
            #expect(attempt.answer?.body == Array("{}".utf8))
            let request = try #require(upstream.requests.first)
            #expect(request.lines.first == "POST /api/v1\(Self.path) HTTP/1.1")
            #expect(request.body == #"{"appsflyer_id":"1741933337626-3179568"}"#)
        }
    }

    @Test("a patch of which v1 knows nothing is rejected without a request")
    func nothingForLegacyVersion() async throws {
        try await withAPI(settings: { $0.version = .v1 }, { _ in [http(200)] }) { api, upstream in
            let attempt = await api.set(IntegrationIdentifiers([.posthogDistinctUserID: "p"]), of: somebody)
            #expect(attempt.outcome.name == "rejected")
            #expect(attempt.outcome.failure?.code == "validation_error")
            #expect(upstream.requests.isEmpty)
        }
    }

    @Test("null is passed on")
    func null() async throws {
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            var identifiers = IntegrationIdentifiers()
            identifiers[.branchID] = .null
            _ = await api.set(identifiers, of: somebody)
            #expect(upstream.requests.first?.body == #"{"branch_id":null}"#)
        }
    }

    @Test("reading is a GET without a body, and its answer comes back as it was")
    func read() async throws {
        let held = #"{"appsflyer_id":"1","branch_id":null}"#
        try await withAPI({ _ in [http(200, held, "Content-Type: application/json", "Request-Id: r-1")] }) {
            api, upstream in
            // After a POST on the same handle: nothing of it may stay.
            _ = await api.set()
            let attempt = await api.read(somebody)
            _ = await api.set()
            #expect(
                attempt.answer
                    == UpstreamAnswer(
                        status: 200, contentType: "application/json", body: Array(held.utf8), requestID: "r-1"))
            #expect(upstream.requests.map { $0.lines[0].prefix(4) } == ["POST", "GET ", "POST"])
            #expect(upstream.requests[1].body == "")
            #expect(upstream.requests[1].values(of: "Content-Length") == [])
            #expect(upstream.requests[1].values(of: "adapty-customer-user-id") == ["user-1"])
            #expect(upstream.requests[2].body == #"{"appsflyer_id":"1741933337626-3179568"}"#)
        }
    }

    @Test("a large body is sent whole, at once and without asking for 100 (Continue)")
    func largeBody() async throws {
        let text = String(repeating: "x", count: 3_000_000)
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            let attempt = await api.set(IntegrationIdentifiers([.branchID: text]), of: somebody)
            #expect(attempt.outcome == .applied)
            #expect(upstream.requests.first?.body == #"{"branch_id":"\#(text)"}"#)
            #expect(upstream.requests.first?.values(of: "Expect") == [])
        }
    }

    @Test("what one request said is not in the next, whatever their lengths")
    func buffersAreReused() async throws {
        let users = ["a", String(repeating: "b", count: 1000), "cc", String(repeating: "d", count: 500)]
        try await withAPI(settings: { $0.connections = 1 }, { _ in [http(200)] }) { api, upstream in
            for name in users {
                _ = await api.set(IntegrationIdentifiers([.branchID: name]), of: user(name))
            }
            #expect(upstream.requests.map { $0.values(of: "adapty-customer-user-id") } == users.map { [$0] })
            #expect(upstream.requests.map(\.body) == users.map { #"{"branch_id":"\#($0)"}"# })
        }
    }

    @Test(
        "a customer user id that is not ASCII is sent as UTF-8, or refused where the app says so",
        arguments: [true, false])
    func notASCII(passes: Bool) async throws {
        try await withAPI(settings: { $0.passesNonASCII = passes }, { _ in [http(200)] }) { api, upstream in
            let attempt = await api.set(user("Zoë 日本"))
            #expect(attempt.outcome.name == (passes ? "applied" : "rejected"))
            #expect(upstream.requests.map { $0.values(of: "adapty-customer-user-id") } == (passes ? [["Zoë 日本"]] : []))
        }
    }

    @Test(
        "a value with a control character is refused where it becomes a header, and nothing is sent",
        arguments: ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\u{7f}", "a\u{1b}[0m", "\t", ""])
    func headerInjection(value: String) async throws {
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            try await withLoops { loops in
                let options = try TransferOptions(
                    AdaptyAPI.Settings(upstream: upstream.url, secretKeys: []),
                    endpoint: Endpoint(upstream.url, version: .v2))
                let transport = Transport(options, on: loops[0])
                let ending = try await transport.perform(
                    Call.Request(
                        method: .get, profileHeader: "adapty-customer-user-id", profileValue: value,
                        headers: HeaderList([])))
                guard case .failed(let failure) = ending else {
                    Issue.record("sent: \(ending)")
                    return await transport.close(grace: .zero)
                }
                #expect(failure.kind == .badHeader)
                #expect(value.isEmpty || !failure.message.contains(value))
                #expect(Outcome(failure).name == "rejected")
                // The transfer is good for the next request.
                let next = try await transport.perform(
                    Call.Request(
                        method: .get, profileHeader: "adapty-customer-user-id", profileValue: "b",
                        headers: HeaderList([])))
                guard case .answered = next else {
                    Issue.record("not sent: \(next)")
                    return await transport.close(grace: .zero)
                }
                await transport.close(grace: .zero)
            }
            #expect(upstream.requests.map { $0.values(of: "adapty-customer-user-id") } == [["b"]])
            #expect(upstream.requests.allSatisfy { $0.values(of: "X-Evil").isEmpty })
        }
    }

    @Test("proxies in the environment have no say")
    func noProxy() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        setenv("ALL_PROXY", "http://127.0.0.1:1", 1)
        defer {
            unsetenv("http_proxy")
            unsetenv("ALL_PROXY")
        }
        try await withAPI({ _ in [http(200)] }) { api, _ in
            #expect(await api.set().outcome == .applied)
        }
    }
}

extension [String] {
    /// The same lines in the order of another list: the first line stands, the order of headers says nothing.
    fileprivate func reordered(as other: [String]) -> [String] {
        sorted { (other.firstIndex(of: $0) ?? .max) < (other.firstIndex(of: $1) ?? .max) }
    }
}
