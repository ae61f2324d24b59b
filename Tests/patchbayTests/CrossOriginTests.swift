import Foundation
import Testing

@Suite("The whole process: pages of other origins", .serialized)
struct CrossOriginTests {
    private static let shop = "https://shop.example.com"
    private static let blog = "https://blog.example.com"
    private static let key = "canary-web-key-5c7d"

    private func relay(_ more: String = "") async throws -> RelayUnderTest {
        // Client keys come last in the file; sources and limits are the test's own.
        let settings = """
              web: { app: main, key: env:WEB_KEY, scopes: [write, read], origins: ["\(Self.shop)"] }
              other: { app: main, key: env:OTHER_KEY, origins: ["\(Self.blog)"] }
            \(more)
            """
        return try await RelayUnderTest(
            settings: settings, environment: ["WEB_KEY": Self.key, "OTHER_KEY": "canary-other-key-aa01"])
    }

    private func headers(_ origin: String?, key: String = key) -> [String: String] {
        var headers = ["Authorization": "Api-Key \(key)", "adapty-customer-user-id": "u"]
        headers["Origin"] = origin
        return headers
    }

    private func isShared(_ answer: TestClient.Answer, with origin: String = shop) -> Bool {
        answer.headers["access-control-allow-origin"] == origin && answer.headers["vary"] == "Origin"
            && answer.headers["access-control-expose-headers"] == "X-Request-Id, Retry-After, Preference-Applied"
            && answer.headers["access-control-allow-credentials"] == nil
    }

    @Test("a page asks first and then sends, as a browser does, on every client route")
    func page() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        for (path, body) in [
            (RelayUnderTest.dropIn, #"{"branch_id":"b"}"#), ("/client/branch", #"{"identity":"c"}"#),
            (RelayUnderTest.dropInV1, #"{"mixpanel_user_id":"m"}"#),
        ] {
            let preflight = try client.send(
                "OPTIONS", path,
                [
                    "Origin": Self.shop, "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "adapty-customer-user-id,authorization,content-type",
                ])
            #expect(preflight.status == 204 && preflight.headers["access-control-allow-origin"] == Self.shop)
            #expect(preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
            #expect(preflight.headers["access-control-allow-headers"]?.contains("authorization") == true)
            #expect(preflight.headers["content-length"] == nil && preflight.headers["x-request-id"] != nil)
            let answer = try client.post(path, body, headers(Self.shop))
            #expect(answer.status == 200 && isShared(answer))
        }
        let read = try client.send("GET", RelayUnderTest.dropIn, headers(Self.shop))
        #expect(read.status == 200 && isShared(read))
        #expect(try test.held().profiles["u"]?["branch_id"] == "c")
        let plain = try client.post("/client/branch", #"{"identity":"d"}"#, headers(nil))
        #expect(plain.status == 200 && plain.headers["access-control-allow-origin"] == nil)
    }

    @Test("a page of another key's origin, or of nobody's, sends nothing")
    func others() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        for origin in [Self.blog, "https://evil.example", "null"] {
            let preflight = try client.send(
                "OPTIONS", RelayUnderTest.dropIn, ["Origin": origin, "Access-Control-Request-Method": "POST"])
            #expect(preflight.status == (origin == Self.blog ? 204 : 403))
            let answer = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers(origin))
            #expect(answer.status == 403 && answer.json?["error_code"] as? String == "forbidden")
        }
        // A key without origins is for no page.
        let answer = try client.post(
            RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers(Self.shop, key: RelayUnderTest.clientKey))
        #expect(answer.status == 403)
        #expect(try await test.logs(#""cause":"origin_not_allowed""#))
        #expect(!test.relay.log.contains("evil.example"))
        #expect(try test.held().requests == 0)
    }

    @Test("errors can be read by the page: 401, 413 of the listener, 429 and 503")
    func errors() async throws {
        let test = try await relay("limits: { client_body_bytes: 4096, client_key: 1/h burst 2 }")
        let client = try TestClient(test.relay.address)
        let wrong = try client.post(RelayUnderTest.dropIn, "{}", headers(Self.shop, key: "wrong"))
        #expect(wrong.status == 401 && isShared(wrong))
        let large = #"{"branch_id":""# + String(repeating: "b", count: 5000) + #""}"#
        let refused = try TestClient(test.relay.address).post("/client/branch", large, headers(Self.shop))
        #expect(refused.status == 413 && isShared(refused))
        var limited = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers(Self.shop))
        for _ in 0..<5 where limited.status != 429 {
            limited = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers(Self.shop))
        }
        #expect(limited.status == 429 && isShared(limited) && limited.headers["retry-after"] != nil)

        let disabled = try await relay(
            "  closed: { app: main, key: env:TOKEN, origins: [\"\(Self.shop)\"], enabled: false }")
        let answer = try TestClient(disabled.relay.address).post(
            RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers(Self.shop, key: RelayUnderTest.token))
        #expect(answer.status == 503 && isShared(answer) && answer.headers["retry-after"] == "60")
    }
}
