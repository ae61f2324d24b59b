import Foundation
import Testing

/// Adapty's own paths at the relay, against a sandbox and against upstreams that say what a test wants.
@Suite("The whole process: the drop-in API", .serialized)
struct DropInTests {
    private static func headers(_ key: String = RelayUnderTest.clientKey, _ more: [String: String] = [:]) -> [String:
        String]
    {
        ["Authorization": "Api-Key \(key)", "adapty-customer-user-id": "u", "Content-Type": "application/json"]
            .merging(more) { $1 }
    }

    private static func answering(_ status: String, _ type: String, _ body: String, _ more: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func get(
        _ test: RelayUnderTest, _ path: String = RelayUnderTest.dropIn, _ headers: [String: String] = headers()
    ) throws -> TestClient.Answer {
        try TestClient(test.relay.address).send("GET", path, headers)
    }

    private func post(
        _ test: RelayUnderTest, _ body: String, _ path: String = RelayUnderTest.dropIn,
        _ headers: [String: String] = headers()
    ) throws -> TestClient.Answer {
        try TestClient(test.relay.address).post(path, body, headers)
    }

    // MARK: Reading

    @Test("GET gives what the upstream holds, with and without the slash, and with a length of nothing")
    func reading() async throws {
        let test = try await RelayUnderTest()
        #expect(try post(test, #"{"branch_id":"b"}"#).status == 200)
        let sandbox = try #require(test.sandbox)
        let direct = try TestClient(sandbox.address)
            .send("GET", RelayUnderTest.dropIn, Self.headers(RelayUnderTest.secretKey))
        #expect(direct.status == 200)
        for path in [RelayUnderTest.dropIn, String(RelayUnderTest.dropIn.dropLast())] {
            for more in [[:], ["Content-Length": "0"]] as [[String: String]] {
                let answer = try get(test, path, Self.headers(RelayUnderTest.clientKey, more))
                #expect(answer.status == 200)
                #expect(answer.body == direct.body)
                #expect(answer.headers["content-type"] == "application/json")
            }
        }
        // Asked each time, and stored nowhere.
        #expect(try test.held().requests == 1 + 1 + 4)
        #expect(try test.metric("patchbay_patches_total") == 1)
    }

    @Test("GET is for keys that may read, and for one profile that is named well")
    func whoMayRead() async throws {
        let test = try await RelayUnderTest()
        let writer = try get(test, RelayUnderTest.dropIn, Self.headers(RelayUnderTest.writerKey))
        #expect(writer.status == 403 && writer.json?["error_code"] as? String == "forbidden")
        #expect(try get(test, RelayUnderTest.dropIn, Self.headers("wrong")).status == 401)
        #expect(try get(test, RelayUnderTest.dropIn, Self.headers(RelayUnderTest.secretKey)).status == 401)
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)"]
        #expect(try get(test, RelayUnderTest.dropIn, key).json?["error_code"] as? String == "validation_error")
        let nobody = try get(test, RelayUnderTest.dropIn, key.merging(["adapty-profile-id": "no-uuid"]) { $1 })
        #expect(nobody.status == 400)
        #expect(try test.held().requests == 0)
    }

    @Test("GET of a profile that is not there is Adapty's 404")
    func missing() async throws {
        let test = try await RelayUnderTest(sandboxOptions: [])
        let answer = try get(test)
        #expect(answer.status == 404)
        #expect(answer.json?["error_code"] as? String == "profile_not_found")
    }

    @Test("GET spends from the limits that POST spends from")
    func limits() async throws {
        let limits = "limits: { client_key: 1000/s, client_ip: 1000/s, profile: 2/h }"
        let test = try await RelayUnderTest(settings: limits)
        #expect(try get(test).status == 200)
        #expect(try post(test, #"{"branch_id":"b"}"#).status == 200)
        for answer in [try get(test), try post(test, #"{"branch_id":"c"}"#)] {
            #expect(answer.status == 429)
            #expect(answer.headers["retry-after"] != nil && answer.headers["ratelimit"]?.contains("profile") == true)
        }
        let other = Self.headers(RelayUnderTest.clientKey, ["adapty-customer-user-id": "v"])
        #expect(try get(test, RelayUnderTest.dropIn, other).status == 200)
    }

    @Test("a wrong key of the app's is not the caller's: 503, and the log says why", arguments: ["401", "403"])
    func wrongKey(status: String) async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", status])
        let answer = try get(test)
        #expect(answer.status == 503)
        #expect(answer.json?["error_code"] as? String == "unavailable")
        #expect(answer.headers["retry-after"] == "60")
        #expect(!answer.text.contains("key"))
        #expect(try await test.logs(#""cause":"upstream: \#(status) "#))
        #expect(!test.relay.log.contains("canary"))
    }

    @Test("an upstream that is not there, hangs, or is somebody else is 503, and says when to ask again")
    func unreachable() async throws {
        let html = Self.answering("502 Bad Gateway", "text/html", "<h1>502</h1>")
        let upstreams: [(RawUpstream?, String)] = [
            (nil, "connect_failed"), (try RawUpstream(nil), "timeout"),
            (try RawUpstream(nil, closesAtOnce: true), "connection_lost"), (try RawUpstream(html), "http_502"),
        ]
        for (upstream, cause) in upstreams {
            let test = try await RelayUnderTest(upstream: upstream?.address ?? "127.0.0.1:1", app: "timeout: 1s")
            let answer = try get(test)
            #expect(answer.status == 503, "\(cause): \(answer.text)")
            #expect(answer.json?["error_code"] as? String == "unavailable")
            #expect(answer.headers["retry-after"] == "5")
            #expect(try await test.logs("\(cause): "), "\(test.relay.log.suffix(500))")
            #expect(try test.metric("patchbay_profiles_waiting") == 0)
        }
    }

    // MARK: Answers as they came

    private static let errorBodies = [
        #"{"errors":["Too long."],"error_code":"validation_error","status_code":400}"#,
        "{ \"status_code\" : 400,\n  \"errors\":[ {\"source\":\"branch_id\",\"errors\":[\"Too long.\",\"Zu lang: ä\"]},"
            + "{\"source\":null,\"errors\":[]} ],\t\"error_code\":\"validation_error\" , \"more\":[1.50,true] }",
    ]

    @Test("both forms of errors come back byte for byte, of POST and of GET", arguments: errorBodies)
    func errors(body: String) async throws {
        let type = "application/json; charset=utf-8"
        let upstream = try RawUpstream(
            Self.answering("400 Bad Request", type, body, "Request-Id: adapty-7\r\n"))
        let test = try await RelayUnderTest(upstream: upstream.address)
        for answer in [try post(test, #"{"branch_id":"b"}"#), try get(test)] {
            #expect(answer.status == 400)
            #expect(answer.text == body)
            #expect(answer.headers["content-type"] == type)
            #expect(answer.headers["request-id"] == "adapty-7")
        }
    }

    @Test("null is passed on, from every client's door")
    func null() async throws {
        let test = try await RelayUnderTest()
        #expect(try post(test, #"{"branch_id":"b","adjust_device_id":"a","appsflyer_id":"f"}"#).status == 200)
        #expect(try post(test, #"{"branch_id":null}"#).status == 200)
        #expect(try post(test, #"{"adjust_device_id":null}"#, RelayUnderTest.dropInV1).status == 200)
        #expect(try post(test, #"{"appsflyer_id":null}"#, "/client/appsflyer").status == 200)
        let held = try #require(try get(test).json)
        for name in ["branch_id", "adjust_device_id", "appsflyer_id"] { #expect(held[name] is NSNull, "\(name)") }
    }

    // MARK: v1

    private static let profile =
        #"{"data" : {"profile_id":"3e0c0ac6-1f7c-4b3a-9f06-7cf2e7c1a0d3","access_levels":[ ]}}"#

    @Test(
        "an app that speaks v1 upstream answers every door with the profile, byte for byte",
        arguments: [RelayUnderTest.dropInV1, RelayUnderTest.dropIn, "/client/branch"])
    func profileResponse(path: String) async throws {
        let upstream = try RawUpstream(Self.answering("200 OK", "application/json", Self.profile))
        let test = try await RelayUnderTest(upstream: upstream.address, app: "api: v1")
        let answer = try post(test, #"{"branch_id":"b"}"#, path)
        #expect(answer.status == 200)
        #expect(answer.text == Self.profile)
        #expect(answer.headers["content-type"] == "application/json")
    }

    @Test("what v1 holds already is asked again by who waits for the profile, and by nobody else")
    func unchanged() async throws {
        let test = try await RelayUnderTest(app: "api: v1")
        for round in 1...3 {
            let answer = try post(test, #"{"branch_id":"b"}"#, RelayUnderTest.dropInV1)
            #expect(answer.status == 200)
            #expect((answer.json?["data"] as? NSDictionary)?["customer_user_id"] as? String == "u", "\(answer.text)")
            #expect(try test.held().requests == round)
        }
        let later = Self.headers(RelayUnderTest.clientKey, ["Prefer": "respond-async"])
        #expect(try post(test, #"{"branch_id":"b"}"#, RelayUnderTest.dropInV1, later).status == 202)
        let webhook = #"{"branch_id":"b","customer_user_id":"u"}"#
        #expect(try TestClient(test.relay.address).post(test.hook("appsflyer"), webhook).json?["accepted"] as? Int == 0)
        try await test.delivered()
        #expect(try test.held().requests == 3)
    }

    @Test("what v2 holds already is not asked again")
    func unchangedVersion2() async throws {
        let test = try await RelayUnderTest()
        for path in [RelayUnderTest.dropIn, RelayUnderTest.dropInV1] {
            let answer = try post(test, #"{"branch_id":"b"}"#, path)
            #expect(answer.status == 200 && answer.body.isEmpty)
        }
        #expect(try test.held().requests == 1)
    }

    @Test("a v1 app is told the 13 fields that v1 knows; where none is left, there is nothing to set")
    func fieldsOfVersion1() async throws {
        let test = try await RelayUnderTest(app: "api: v1")
        let mixed = try post(test, #"{"posthog_distinct_user_id":"p","branch_id":"b","one_signal_player_id":null}"#)
        #expect(mixed.status == 200)
        #expect(try test.held().profiles["u"] == ["branch_id": "b"])
        for path in [RelayUnderTest.dropIn, RelayUnderTest.dropInV1, "/client/posthog"] {
            let none = try post(test, #"{"posthog_distinct_user_id":"p","one_signal_player_id":"o"}"#, path)
            #expect(none.status == 400)
            #expect(none.json?["errors"] as? [String] == ["At least one integration identifier must be provided."])
        }
        #expect(try test.held().requests == 1)
    }

    @Test("the v1 path sets v1's fields alone, also in an app that speaks v2")
    func version1Path() async throws {
        let test = try await RelayUnderTest()
        let body = #"{"posthog_distinct_user_id":"p","branch_id":"b"}"#
        #expect(try post(test, body, RelayUnderTest.dropInV1).status == 200)
        #expect(try test.held().profiles["u"] == ["branch_id": "b"])
    }

    @Test("v1 cannot be read: neither its path nor an app that speaks it")
    func readingVersion1() async throws {
        let test = try await RelayUnderTest(app: "api: v1")
        for path in [RelayUnderTest.dropInV1, RelayUnderTest.dropIn] {
            let answer = try get(test, path)
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "POST")
        }
        #expect(try test.held().requests == 0)
    }

    @Test("a v1 upstream that is down: 202 when the wait is over, and delivered in the end")
    func version1Down() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "503"], app: "api: v1")
        let headers = Self.headers(RelayUnderTest.clientKey, ["Prefer": "wait=1"])
        let answer = try post(test, #"{"branch_id":"b"}"#, RelayUnderTest.dropInV1, headers)
        #expect(answer.status == 202 && answer.json?["accepted"] as? Int == 1)
        #expect(try test.metric("patchbay_profiles_waiting") == 1)
    }

    // MARK: The description

    @Test("/openapi.json describes the running relay, its declared vendors too, to everybody")
    func description() async throws {
        let test = try await RelayUnderTest(
            settings: "vendors:\n  acme: { identifiers: { appsflyer_id: [/ids/af] }, customer_user_id: [/user/id] }")
        let answer = try TestClient(test.relay.address).send("GET", "/openapi.json")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.json?["openapi"] as? String == "3.1.0")
        let parameters = (answer.json?["components"] as? NSDictionary)?["parameters"] as? NSDictionary
        let vendors = ((parameters?["Vendor"] as? NSDictionary)?["schema"] as? NSDictionary)?["enum"] as? [String]
        #expect(vendors?.count == 14 && vendors?.first == "acme")
        for secret in ["canary", "127.0.0.1", "ios"] { #expect(!answer.text.contains(secret)) }
    }
}
