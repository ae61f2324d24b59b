import Foundation
import Testing

/// The table of bad input, against the running process. Nothing crashes, hangs or leaks.
@Suite("The whole process: bad input", .serialized)
struct BadInputTests {
    private static let dropIn = RelayUnderTest.dropIn
    private static let good = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    @Test("each mistake gets its status and Adapty's shape, and the next request works")
    func table() async throws {
        let test = try await RelayUnderTest()
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)"]
        let user = key.merging(["adapty-customer-user-id": "u"]) { $1 }
        let hook = test.hook("appsflyer")
        let deep = String(repeating: "[", count: 1_000_00)
        let cases: [(String, String, [String: String], String, Int, String)] = [
            ("POST", hook, [:], "{", 400, "malformed_body"),
            ("POST", hook, [:], "", 400, "malformed_body"),
            ("POST", hook, [:], deep, 400, "malformed_body"),
            ("POST", hook, [:], #"{"appsflyer_id":"1-2"} trailing"#, 400, "malformed_body"),
            ("POST", hook, ["Content-Type": "image/png"], "x", 415, "unsupported_media_type"),
            ("POST", "/hooks/appsflyer?token=wrong", [:], Self.good, 401, "unauthorized"),
            ("POST", "/hooks/appsflyer", [:], Self.good, 401, "unauthorized"),
            ("POST", "/hooks/nobody?token=\(RelayUnderTest.token)", [:], Self.good, 404, "not_found"),
            ("POST", "/nothing", [:], Self.good, 404, "not_found"),
            ("DELETE", hook, [:], "", 405, "method_not_allowed"),
            ("POST", Self.dropIn, ["adapty-customer-user-id": "u"], #"{"branch_id":"b"}"#, 401, "unauthorized"),
            ("POST", Self.dropIn, user, "{}", 400, "validation_error"),
            ("POST", Self.dropIn, key, #"{"branch_id":"b"}"#, 400, "validation_error"),
            ("POST", Self.dropIn, user, #"{"branch_id":5.5}"#, 400, "validation_error"),
            ("POST", Self.dropIn, user, "not json", 400, "malformed_body"),
            (
                "POST", Self.dropIn, key.merging(["adapty-profile-id": "not-a-uuid"]) { $1 }, #"{"branch_id":"b"}"#,
                400, "validation_error"
            ),
            ("POST", "/client/nobody", user, #"{"user_id":"x"}"#, 404, "not_found"),
        ]
        for (method, target, headers, body, status, code) in cases {
            let client = try TestClient(test.relay.address)
            let json = ["Content-Type": "application/json"].merging(headers) { $1 }
            let answer = try client.send(method, target, json, body: body)
            #expect(answer.status == status, "\(method) \(target) \(body.prefix(40)): \(answer.text)")
            #expect(answer.json?["error_code"] as? String == code, "\(method) \(target): \(answer.text)")
            #expect(answer.json?["status_code"] as? Int == status)
            #expect((answer.json?["errors"] as? [String])?.isEmpty == false)
            #expect(!answer.text.contains("canary"))
        }
        #expect(try TestClient(test.relay.address).post(hook, Self.good).status == 200)
        #expect(!test.relay.log.contains("canary"))
    }

    @Test("a source that is not there is answered as any path is, and a wrong secret as a missing one")
    func nothingLearned() async throws {
        let test = try await RelayUnderTest()
        func answer(_ target: String) throws -> String {
            let answer = try TestClient(test.relay.address).post(target, Self.good)
            return "\(answer.status) \(answer.text)"
        }
        #expect(try answer("/hooks/nobody?token=\(RelayUnderTest.token)") == answer("/nothing"))
        #expect(try answer("/hooks/appsflyer?token=wrong") == answer("/hooks/appsflyer"))
        #expect(try await test.logs(#""cause":"wrong_credential""#))
        #expect(try await test.logs(#""cause":"no_credential""#))
    }

    @Test("no line of the log is a caller's, whatever it writes")
    func logLines() async throws {
        let test = try await RelayUnderTest(settings: "log: { level: trace }")
        let forged = #"{"level":"error","message":"forged"}"#
        for line in ["\n", "\r\n", "\u{2028}"] {
            let text = "u\"\(line)\(forged)\(line)"
            let encoded = try #require(text.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let client = try TestClient(test.relay.address)
            for target in [
                "/hooks/\(encoded)", test.hook("appsflyer") + "&appsflyer_id=1-2&customer_user_id=\(encoded)",
            ] {
                _ = try client.send("GET", target, ["X-Request-Id": forged, "User-Agent": forged])
            }
            let body = try JSONSerialization.data(withJSONObject: ["appsflyer_id": text, "customer_user_id": text])
            _ = try client.post(test.hook("appsflyer"), String(decoding: body, as: UTF8.self))
        }
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        let lines = test.relay.log.split(whereSeparator: \.isNewline)
        #expect(lines.count > 9)
        for line in lines {
            let json = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary
            #expect(json != nil && json?["message"] as? String != "forged", "\(line)")
        }
    }

    @Test("a payload is read whatever its labels say, and an event whose time cannot be read leaves the newer value")
    func labels() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let body = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#
        for (number, headers) in [
            ["Content-Type": "application/octet-stream"], ["Content-Type": "text/xml"],
            ["Content-Type": "application/json", "Content-Encoding": "UTF-8"],
            ["Content-Type": "application/json", "Content-Encoding": "none"],
            ["Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "identity"],
        ].enumerated() {
            let answer = try client.send(
                "POST", test.hook("appsflyer"), headers, body: body.replacing("u\"", with: "u\(number)\""))
            #expect(answer.status == 200, "\(headers): \(answer.text)")
            #expect(answer.json?["accepted"] as? Int == 1, "\(headers): \(answer.text)")
        }
        let newer = #"{"appsflyer_id":"1-3","customer_user_id":"t","event_time":"2026-10-14 08:21"}"#
        #expect(try client.post(test.hook("appsflyer"), newer).json?["accepted"] as? Int == 1)
        let unreadable = newer.replacing("1-3", with: "1-4").replacing("2026-10-14 08:21", with: "soon")
        #expect(try client.post(test.hook("appsflyer"), unreadable).json?["unchanged"] as? Int == 1)
        #expect(try test.metric("patchbay_unreadable_times_total") == 1)
    }

    @Test("events that are understood and come to nothing are successes with a counted reason")
    func skips() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let bodies = [
            #"{"appsflyer_id":"1-2"}"#, #"{"customer_user_id":"u"}"#,
            #"{"appsflyer_id":"1-2","customer_user_id":"a\r\nX-Evil: 1"}"#,
            #"{"appsflyer_id":"1-2","custom_data":"{\"adapty_profile_id\":\"nope\"}"}"#,
            #"{"appsflyer_id":"None","customer_user_id":"u"}"#, #"{"appsflyer_id":"\ud800","customer_user_id":"u"}"#,
        ]
        for body in bodies {
            let answer = try client.post(test.hook("appsflyer"), body)
            #expect(answer.status == 200, "\(body): \(answer.text)")
            #expect(answer.json?["skipped"] as? Int == 1, "\(body): \(answer.text)")
        }
        #expect(try test.metric("patchbay_skips_total") == Double(bodies.count))
        #expect(try test.held().requests == 0)
    }

    @Test("a 20-digit id keeps its digits, and one of 30")
    func longIntegers() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        for digits in ["14820355917743086215", "123456789012345678901234567890"] {
            let body = #"{"appmetrica_device_id":\#(digits),"profile_id":"u\#(digits.count)"}"#
            #expect(try client.post(test.hook("appmetrica"), body).status == 200)
            try await test.delivered()
            #expect(try test.held().profiles["u\(digits.count)"]?["appmetrica_device_id"] == digits)
        }
    }

    @Test("invalid UTF-8 is nobody's id, and a body that stops halfway is never processed")
    func brokenBytes() async throws {
        let test = try await RelayUnderTest(settings: "deadlines: { body: 1s }")
        let hook = test.hook("appsflyer")
        let bytes = Array(#"{"appsflyer_id":"1-2","customer_user_id":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8)
        let answer = try TestClient(test.relay.address).send(
            "POST", hook, ["Content-Type": "application/json"], bytes: bytes)
        #expect(answer.status == 200)
        #expect(answer.json?["skipped"] as? Int == 1)
        let half = try TestClient(test.relay.address)
        try half.write(Array("POST \(hook) HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"appsflyer_id\":".utf8))
        #expect(try half.readAnswer().status == 408)
        #expect(try test.metric("patchbay_profiles_waiting") == 0)
    }

    @Test("too large is 413, too many fields 431, and too often 429 with when to come again")
    func tooMuch() async throws {
        let test = try await RelayUnderTest(settings: "limits: { source: 5/s, body_bytes: 10000 }")
        let hook = test.hook("appsflyer")
        #expect(try TestClient(test.relay.address).post(hook, String(repeating: " ", count: 10_001)).status == 413)
        let fields = Dictionary(uniqueKeysWithValues: (0..<200).map { ("X-Field-\($0)", "v") })
        #expect(try TestClient(test.relay.address).post(hook, Self.good, fields).status == 431)
        let client = try TestClient(test.relay.address)
        var refused: TestClient.Answer?
        for _ in 0..<10 where refused == nil {
            let answer = try client.post(hook, Self.good)
            if answer.status != 200 { refused = answer }
        }
        #expect(refused?.status == 429)
        #expect(refused?.headers["retry-after"].flatMap { Int($0) }.map { $0 >= 1 } == true)
        #expect(refused?.headers["ratelimit"] != nil && refused?.headers["ratelimit-policy"] != nil)
        #expect(refused?.json?["error_code"] as? String == "rate_limited")
    }

    @Test("ids in bytes that are no UTF-8 are nobody's: two of them never become one")
    func rawBytesInQueries() async throws {
        let test = try await RelayUnderTest()
        for byte: UInt8 in [0xe9, 0xe8] {
            let client = try TestClient(test.relay.address)
            let target = Array(
                "GET /hooks/appsflyer?token=\(RelayUnderTest.token)&appsflyer_id=1-2&customer_user_id=us".utf8)
            try client.write(target + [byte] + Array("r HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            let answer = try client.readAnswer()
            #expect(answer.json?["skipped"] as? Int == 1, "\(answer.text)")
        }
        #expect(try test.held().requests == 0)
    }

    @Test("JSON from a client that calls it a form, as curl does unasked, is read as JSON")
    func jsonCalledForm() async throws {
        let test = try await RelayUnderTest()
        let form = ["Content-Type": "application/x-www-form-urlencoded"]
        let answer = try TestClient(test.relay.address).post(test.hook("appsflyer"), Self.good, form)
        #expect(answer.json?["accepted"] as? Int == 1)
    }

    @Test("SIGHUP with nothing new is said and changes nothing")
    func hangup() async throws {
        let test = try await RelayUnderTest()
        for _ in 0..<100 where !test.relay.log.contains("was read again") {
            test.relay.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(test.relay.log.contains("was read again"))
        #expect(try TestClient(test.relay.address).post(test.hook("appsflyer"), Self.good).status == 200)
    }

    @Test("gzip is read when declared")
    func gzip() async throws {
        let test = try await RelayUnderTest()
        let packed = Process()
        packed.executableURL = URL(fileURLWithPath: "/bin/gzip")
        packed.arguments = ["-c"]
        let (input, output) = (Pipe(), Pipe())
        (packed.standardInput, packed.standardOutput) = (input, output)
        try packed.run()
        input.fileHandleForWriting.write(Data(Self.good.utf8))
        try input.fileHandleForWriting.close()
        let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
        let headers = ["Content-Type": "application/json", "Content-Encoding": "gzip"]
        let answer = try TestClient(test.relay.address).send("POST", test.hook("appsflyer"), headers, bytes: bytes)
        #expect(answer.json?["accepted"] as? Int == 1)
    }
}
