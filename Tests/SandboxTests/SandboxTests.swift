import Foundation
import Relay
import Sandbox
import Testing

private let path = "/api/v2/server-side-api/integration/profile/set/integration-identifiers/"
private let legacyPath = "/api/v1/server-side-api/integration/profile/set/integration-identifiers/"
private let profileID = "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"

@Suite("The sandbox, as Adapty's documents have it")
struct SandboxTests {
    private func sandbox(_ change: (inout SandboxSettings) -> Void = { $0.acceptsAnyProfile = true }) -> Sandbox {
        var settings = SandboxSettings(keys: [Secret("secret_live_test")])
        change(&settings)
        return Sandbox(settings: settings, clock: ContinuousClock())
    }

    private func request(
        _ method: Relay.Method, _ body: String = "", path: String = path, key: String = "Api-Key secret_live_test",
        headers: [Field] = [Field("adapty-customer-user-id", "usr_1")]
    ) -> Request {
        let standard = [Field("Authorization", key), Field("Content-Type", "application/json")]
        return Request(method: method, path: path, headers: Headers(standard + headers), body: Array(body.utf8))
    }

    private func object(_ response: Response) throws -> NSDictionary {
        try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? NSDictionary)
    }

    @Test("POST answers 200 with a blank body, and GET then shows all 16 keys, null where unset")
    func setAndGet() async throws {
        let sandbox = sandbox()
        let set = await sandbox.respond(to: request(.post, #"{"appsflyer_id":"1-2","branch_id":"b"}"#))
        #expect(set.status == 200)
        #expect(set.body.isEmpty)
        #expect(set.headers.contains { $0.name == "Request-Id" })
        let got = try object(await sandbox.respond(to: request(.get)))
        #expect(got.count == 16)
        #expect(got["appsflyer_id"] as? String == "1-2")
        #expect(got["adjust_device_id"] is NSNull)
    }

    @Test("a patch is partial: what it does not name stays, and null clears")
    func isPartial() async throws {
        let sandbox = sandbox()
        _ = await sandbox.respond(to: request(.post, #"{"appsflyer_id":"1-2","branch_id":"b"}"#))
        _ = await sandbox.respond(to: request(.post, #"{"branch_id":null,"adjust_device_id":"a"}"#))
        let got = try object(await sandbox.respond(to: request(.get)))
        #expect(got["appsflyer_id"] as? String == "1-2")
        #expect(got["branch_id"] is NSNull)
        #expect(got["adjust_device_id"] as? String == "a")
    }

    @Test(
        "a wrong key is 401 with the documented body",
        arguments: ["", "Api-Key wrong", "secret_live_test", "Bearer secret_live_test", "Api-Key secret_live_test "])
    func unauthorized(key: String) async throws {
        let response = await sandbox().respond(to: request(.post, #"{"branch_id":"b"}"#, key: key))
        #expect(response.status == 401)
        let expected: NSDictionary = ["errors": ["Invalid API key"], "error_code": "unauthorized", "status_code": 401]
        #expect(try object(response) == expected)
    }

    @Test("an unknown profile is 404 until it exists")
    func unknownProfile() async throws {
        let sandbox = sandbox { _ in }
        let patch = request(.post, #"{"branch_id":"b"}"#)
        let expected: NSDictionary = [
            "errors": ["Profile not found"], "error_code": "profile_not_found", "status_code": 404,
        ]
        #expect(try object(await sandbox.respond(to: patch)) == expected)
        #expect(await sandbox.respond(to: request(.get)).status == 404)
        let created = await sandbox.respond(to: Request(method: .put, path: "/_sandbox/profiles/usr_1"))
        #expect(created.status == 204)
        #expect(await sandbox.respond(to: patch).status == 200)
    }

    @Test("an empty patch is 400 with Adapty's sentence", arguments: ["", "{}", #"{"unknown_field":"x"}"#])
    func emptyPatch(body: String) async throws {
        let response = await sandbox().respond(to: request(.post, body))
        let expected: NSDictionary = [
            "errors": ["At least one integration identifier must be provided."], "error_code": "validation_error",
            "status_code": 400,
        ]
        #expect(try object(response) == expected)
    }

    @Test("a field that is no string is 400 in the other form of errors, with its source")
    func wrongTypes() async throws {
        let response = await sandbox().respond(to: request(.post, #"{"branch_id":5}"#))
        #expect(response.status == 400)
        let errors = try #require(try object(response)["errors"] as? [NSDictionary])
        #expect(errors.first?["source"] as? String == "branch_id")
        #expect((errors.first?["errors"] as? [String])?.isEmpty == false)
    }

    @Test("exactly one header names the profile, and a profile id is a UUID")
    func profileHeaders() async {
        let body = #"{"branch_id":"b"}"#
        let id = Field("adapty-profile-id", profileID)
        let user = Field("adapty-customer-user-id", "u")
        #expect(await sandbox().respond(to: request(.post, body, headers: [])).status == 400)
        #expect(await sandbox().respond(to: request(.post, body, headers: [id, user])).status == 400)
        #expect(await sandbox().respond(to: request(.post, body, headers: [id])).status == 200)
        let bad = Field("adapty-profile-id", "nope")
        #expect(await sandbox().respond(to: request(.post, body, headers: [bad])).status == 400)
    }

    @Test("v1 knows 13 fields and answers with the profile")
    func legacy() async throws {
        let sandbox = sandbox()
        let set = await sandbox.respond(to: request(.post, #"{"branch_id":"b"}"#, path: legacyPath))
        #expect(set.status == 200)
        let data = try #require(try object(set)["data"] as? NSDictionary)
        #expect(data["customer_user_id"] as? String == "usr_1")
        #expect((data["access_levels"] as? [Any])?.isEmpty == true)
        let new = await sandbox.respond(to: request(.post, #"{"posthog_distinct_user_id":"p"}"#, path: legacyPath))
        #expect(new.status == 400)
    }

    @Test("broken JSON is 400, another media type 415, a path without its slash a 404 that is not JSON")
    func badRequests() async {
        #expect(await sandbox().respond(to: request(.post, "{")).status == 400)
        #expect(await sandbox().respond(to: request(.post, "[]")).status == 400)
        var text = request(.post, "{}")
        text.headers = Headers([
            Field("Authorization", "Api-Key secret_live_test"), Field("adapty-profile-id", profileID),
        ])
        #expect(await sandbox().respond(to: text).status == 415)
        let response = await sandbox().respond(to: request(.post, "{}", path: String(path.dropLast())))
        #expect(response.status == 404)
        #expect(response.headers.contains(Field("Content-Type", "text/html")))
    }

    @Test("shows what it was sent, in order, with how often")
    func overview() async throws {
        let sandbox = sandbox()
        _ = await sandbox.respond(to: request(.post, #"{"branch_id":"b"}"#))
        _ = await sandbox.respond(to: request(.post, #"{"branch_id":"c"}"#))
        let id = Field("adapty-profile-id", profileID)
        _ = await sandbox.respond(to: request(.post, #"{"branch_id":null}"#, headers: [id]))
        let shown = try object(await sandbox.respond(to: Request(method: .get, path: "/_sandbox/profiles")))
        #expect(shown["requests"] as? Int == 3)
        let profiles = try #require(shown["profiles"] as? [NSDictionary])
        #expect(profiles.count == 2)
        #expect(profiles[0]["customer_user_id"] as? String == "usr_1")
        #expect((profiles[0]["identifiers"] as? NSDictionary)?["branch_id"] as? String == "c")
        #expect(profiles[0]["updates"] as? Int == 2)
        #expect(profiles[1]["profile_id"] as? String == profileID)
    }

    @Test(
        "faults are read as they are written",
        arguments: ["latency=200ms", "latency=20s", "429", "500:0.2", "reset:0.05", "reset"])
    func faults(text: String) {
        var faults = SandboxFaults()
        let isTaken = faults.add(text)
        #expect(isTaken)
        #expect(faults.faults.count == 1)
    }

    @Test(
        "what is no fault is refused",
        arguments: [
            "", "latency", "latency=x", "200", "reset:2", "429:x", "latency=-1ms", "latency=20", "latency=s",
            "latency=9223372036854775807s", "latency=20m",
        ])
    func badFaults(text: String) {
        var faults = SandboxFaults()
        let isTaken = faults.add(text)
        #expect(!isTaken)
    }

    @Test("a fault answers instead of the API", arguments: [("429", 429), ("503", 503), ("401", 401), ("reset", 0)])
    func faultAnswers(fault: String, status: Int) async {
        let sandbox = sandbox { _ = $0.faults.add(fault) }
        let response = await sandbox.respond(to: request(.post, #"{"branch_id":"b"}"#))
        #expect(response.status == status)
        if status == 429 { #expect(response.headers.contains(Field("Retry-After", "1"))) }
    }
}
