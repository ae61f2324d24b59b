import Foundation
import Testing

/// What is refused before a vendor's payload is looked at, as that vendor is told of it.
@Suite("The whole process: every answer is the vendor's", .serialized)
struct VendorVoiceTests {
    private static let member = #"""
        {"action":"members","parameters":{"members":[{"mixpanel_distinct_id":"mx-1","customer_user_id":"u-1"}]}}
        """#
    private static let basic = "Basic " + Data("mix:\(RelayUnderTest.token)".utf8).base64EncodedString()
    private static let wrong = "Basic " + Data("mix:wrong".utf8).base64EncodedString()

    private static func relay(_ settings: String = "") async throws -> RelayUnderTest {
        try await RelayUnderTest(
            sources: [
                "mix: { vendor: mixpanel, app: main, auth: { basic: env:MIX } }",
                "posthog: { vendor: posthog, app: main, auth: { token: env:TOKEN, in: query, name: token } }",
                "by-path: { vendor: appmetrica, app: main, auth: { token: env:TOKEN, in: path } }",
            ], settings: settings, environment: ["MIX": "mix:\(RelayUnderTest.token)"])
    }

    /// A request as nobody's library would send it.
    private struct Odd: CustomStringConvertible {
        let description: String
        var method = "POST"
        var query = ""
        var fields: [String] = []
        var body = VendorVoiceTests.member

        /// - Parameter credential: `Authorization`; the last field, behind whatever is wrong.
        func send(to test: RelayUnderTest, _ path: String, _ credential: String?) throws -> TestClient.Answer {
            let client = try TestClient(test.relay.address)
            var fields = ["Host: x", "Content-Type: application/json"] + self.fields
            if !body.isEmpty { fields.append("Content-Length: \(body.utf8.count)") }
            if let credential { fields.append("Authorization: \(credential)") }
            let head = "\(method) \(path)\(query) HTTP/1.1\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n"
            try client.write(Array((head + body).utf8))
            return try client.readAnswer(to: method)
        }
    }

    private static func filler(_ count: Int) -> String { String(repeating: "a", count: count) }

    private static let refused: [(request: Odd, code: Int)] = [
        (Odd(description: "false gzip", fields: ["Content-Encoding: gzip"], body: "\u{1}\u{2}no gzip"), 400),
        (Odd(description: "an unknown coding", fields: ["Content-Encoding: br"], body: "\u{1}\u{2}brotli"), 415),
        (Odd(description: "Expect: foo", fields: ["Expect: foo"]), 417),
        (Odd(description: "a query of 40 kB", query: "?a=\(filler(40_000))"), 414),
        (Odd(description: "DELETE", method: "DELETE", body: ""), 405),
        (Odd(description: "OPTIONS", method: "OPTIONS", body: ""), 405),
        (Odd(description: "DELETE with a body", method: "DELETE"), 400),
        (Odd(description: "no JSON", body: "no json"), 400),
        (Odd(description: "a body of 6 MB announced", fields: ["Content-Length: 6000000"], body: ""), 413),
    ]

    @Test("Mixpanel is told of each refusal in its own words, with 200; a stranger gets 401")
    func mixpanel() async throws {
        let test = try await Self.relay()
        for (request, code) in Self.refused {
            let answer = try request.send(to: test, "/hooks/mix", Self.basic)
            #expect(answer.status == 200, "\(request): \(answer.text)")
            #expect(answer.json?["status"] as? String == "failure", "\(request): \(answer.text)")
            #expect((answer.json?["error"] as? NSDictionary)?["code"] as? Int == code, "\(request): \(answer.text)")
            for credential in [Self.wrong, nil] {
                let answer = try request.send(to: test, "/hooks/mix", credential)
                #expect(answer.status == 401, "\(request): \(answer.text)")
                #expect(answer.json?["status"] as? String == "failure", "\(request)")
            }
        }
        #expect(try test.held().requests == 0)
        #expect(try test.metric("patchbay_skips_total") == Double(Self.refused.count))
        #expect(!test.relay.log.contains(RelayUnderTest.token))
    }

    @Test("Mixpanel's odd ways of sending what is good are taken")
    func accepted() async throws {
        let test = try await Self.relay()
        let odd = [
            Odd(description: "a label that is no coding", fields: ["Content-Encoding: UTF-8"]),
            Odd(description: "PATCH", method: "PATCH"), Odd(description: "PUT", method: "PUT"),
            Odd(description: "a query of 9 kB", query: "?a=\(Self.filler(9000))"),
            Odd(description: "a header of 17 kB", fields: ["X-Large: \(Self.filler(17_000))"]),
        ]
        for request in odd {
            let answer = try request.send(to: test, "/hooks/mix", Self.basic)
            #expect(answer.status == 200, "\(request): \(answer.text)")
            #expect(answer.text == #"{"action":"members","status":"success"}"#, "\(request): \(answer.text)")
            #expect(try request.send(to: test, "/hooks/mix", Self.wrong).status == 401, "\(request)")
        }
    }

    @Test("HEAD looks at the credential, and reads nothing")
    func head() async throws {
        let test = try await Self.relay()
        let head = Odd(description: "HEAD", method: "HEAD", body: "")
        let answer = try head.send(to: test, "/hooks/mix", Self.basic)
        #expect(answer.status == 200)
        #expect(answer.headers["content-length"] == "0")
        #expect(try head.send(to: test, "/hooks/mix", Self.wrong).status == 401)
        #expect(try head.send(to: test, test.hook("appsflyer"), nil).status == 200)
        #expect(try head.send(to: test, "/hooks/appsflyer?token=wrong", nil).status == 401)
        #expect(try head.send(to: test, "/hooks/nobody", nil).status == 404)
        #expect(try test.held().requests == 0)
    }

    @Test("AppMetrica is answered 200 whatever cannot be read, with the reason counted")
    func appMetrica() async throws {
        let test = try await Self.relay()
        let hook = test.hook("appmetrica")
        let patch = Odd(
            description: "PATCH", method: "PATCH", body: #"{"appmetrica_device_id":"14","profile_id":"am1"}"#)
        #expect(try patch.send(to: test, hook, nil).json?["accepted"] as? Int == 1)
        let alone = Odd(description: "the token alone", method: "GET", body: "")
        #expect(try alone.send(to: test, hook, nil).json?["skipped"] as? Int == 1)
        for (request, _) in Self.refused where request.query.isEmpty {
            let answer = try request.send(to: test, hook, nil)
            #expect(answer.status == 200, "\(request): \(answer.text)")
            #expect(answer.json?["skipped"] as? Int == 1, "\(request): \(answer.text)")
            let stranger = try request.send(to: test, "/hooks/appmetrica?token=wrong", nil)
            #expect(stranger.status == 401, "\(request): \(stranger.text)")
        }
        // The end of such a line is not waited for: what the query says before its limit tells who asks.
        let endless = Odd(description: "a query of 60 kB", query: "&a=\(Self.filler(60_000))")
        #expect(try endless.send(to: test, hook, nil).json?["skipped"] as? Int == 1)
        #expect(try endless.send(to: test, "/hooks/appmetrica?token=wrong", nil).status == 401)
        let shown = try TestClient(test.relay.adminAddress).send("GET", "/rejected").text
        for code in ["malformed_body", "payload_too_large", "uri_too_long", "method_not_allowed"] {
            let line = shown.split(separator: "\n").first { $0.contains(code) && $0.contains("/hooks/appmetrica") }
            #expect(line?.contains("200") == true, "\(code): \(shown)")
        }
        #expect(shown.contains("It was answered 200, because a refusal would be repeated or stop the sender"))
        let log = test.relay.log
        for reason in ["unreadable", "too_large", "wrong_method"] {
            #expect(log.contains("\"\(reason): "), "\(reason)")
        }
    }

    @Test("AppsFlyer, which repeats nothing, is refused as ever")
    func appsFlyer() async throws {
        let test = try await Self.relay()
        for (request, code) in Self.refused where request.query.isEmpty {
            let answer = try request.send(to: test, test.hook("appsflyer"), nil)
            #expect(answer.status == code, "\(request): \(answer.text)")
            #expect(answer.json?["status_code"] as? Int == code, "\(request): \(answer.text)")
        }
    }

    @Test("framing that is in doubt ends the connection, however kindly its vendor is told")
    func framing() async throws {
        let test = try await Self.relay()
        let hook = test.hook("appmetrica")
        let hidden = "GET \(hook)&appmetrica_device_id=14&profile_id=hidden HTTP/1.1\r\nHost: x\r\n\r\n"
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 0",
            "Transfer-Encoding: chunked, identity", "Transfer-Encoding : chunked", "Content-Length: +5",
        ] {
            let client = try TestClient(test.relay.address)
            try client.write(Array("POST \(hook) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\r\n0\r\n\r\n\(hidden)".utf8))
            let answer = try client.readAnswer()
            #expect(answer.json?["skipped"] as? Int == 1, "\(fields): \(answer.text)")
            #expect(answer.headers["connection"] == "close", "\(fields)")
            #expect(throws: RunningPatchbay.Failure.self) { try client.readAnswer() }
        }
        #expect(try test.metric("patchbay_patches_total") == 0)
    }

    @Test("a Pub/Sub push is answered 200 whatever it holds, at a source of a vendor that is refused otherwise, too")
    func pubSub() async throws {
        let test = try await Self.relay()
        for data in ["aGVsbG8=", "no base64!", "", "H4sIAAAA"] {
            let push = #"{"message":{"data":"\#(data)","messageId":"1"},"subscription":"s"}"#
            let answer = try TestClient(test.relay.address).post(test.hook("appsflyer"), push)
            #expect(answer.status == 200, "\(data): \(answer.text)")
            #expect(answer.json?["skipped"] as? Int == 1, "\(data): \(answer.text)")
        }
    }

    @Test("where the header was not read to its end, a credential that was not seen may have followed")
    func cutHeader() async throws {
        let test = try await Self.relay()
        let large = Odd(description: "a header of 60 kB", fields: ["X-Large: \(Self.filler(60_000))"])
        // Behind what is too large: nobody knows who asks.
        #expect(try large.send(to: test, "/hooks/mix", Self.basic).status == 431)
        var known = large
        known.fields.insert("Authorization: \(Self.basic)", at: 0)
        #expect(try known.send(to: test, "/hooks/mix", nil).json?["status"] as? String == "failure")
        known.fields[0] = "Authorization: \(Self.wrong)"
        #expect(try known.send(to: test, "/hooks/mix", nil).status == 401)
    }

    @Test("slashes may be doubled on the way to a source, also before a token in the path")
    func doubledSlashes() async throws {
        let test = try await Self.relay()
        let good = #"{"appmetrica_device_id":"14","profile_id":"am1"}"#
        for path in ["//hooks/appmetrica", "/hooks//appmetrica", "//hooks//appmetrica//"] {
            let answer = try TestClient(test.relay.address).post("\(path)?token=\(RelayUnderTest.token)", good)
            #expect(answer.status == 200, "\(path): \(answer.text)")
            #expect(try TestClient(test.relay.address).post("\(path)?token=wrong", good).status == 401)
        }
        for path in ["//hooks/by-path/", "/hooks//by-path//", "/hooks/by-path/"] {
            #expect(try TestClient(test.relay.address).post(path + RelayUnderTest.token, good).status == 200)
            #expect(try TestClient(test.relay.address).post(path + "wrong", good).status == 401)
        }
    }

    @Test("a page of a thousand members, and an event with one property of 300,000 characters, are taken")
    func large() async throws {
        let test = try await Self.relay()
        let members = (0..<1000).map { index in
            #"{"email":"user\#(index)@mail.example.com","mixpanel_distinct_id":"mpx-\#(UUID())","#
                + #""first_name":"Firstname\#(index)","last_name":"Lastname\#(index)","$city":"San Francisco","#
                + #""$country_code":"US","$last_seen":"2026-11-26T10:00:00","plan":"premium_yearly_with_trial"}"#
        }
        let page = #"{"action":"members","parameters":{"members":[\#(members.joined(separator: ","))]}}"#
        #expect(page.utf8.count > 262_144)
        let answer = try TestClient(test.relay.address).post("/hooks/mix", page, ["Authorization": Self.basic])
        #expect(answer.text == #"{"action":"members","status":"success"}"#)
        #expect(try test.metric("patchbay_patches_total") == 1000)
        let event =
            #"{"event":{"event":"$identify","distinct_id":"ph-1","properties":{"x":"\#(Self.filler(300_000))"}}}"#
        let taken = try TestClient(test.relay.address).post(test.hook("posthog"), event)
        #expect(taken.json?["accepted"] as? Int == 1, "\(taken.text)")
    }

    @Test("client routes and unknown paths keep their own, shorter limit, and Adapty's shape")
    func clientBodies() async throws {
        let test = try await Self.relay()
        let body = #"{"user_id":"u","device_id":"d","x":"\#(Self.filler(300_000))"}"#
        let fields = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u"]
        for target in ["/client/amplitude", RelayUnderTest.dropIn, "/nothing"] {
            let answer = try TestClient(test.relay.address).post(target, body, fields)
            #expect(answer.status == 413, "\(target): \(answer.text)")
            #expect(answer.json?["error_code"] as? String == "payload_too_large", "\(target): \(answer.text)")
        }
    }

    @Test("each limit can be set, in units of 1024")
    func limits() async throws {
        let test = try await Self.relay("limits: { body_bytes: 8k, client_body_bytes: 4 KiB }")
        let fields = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u"]
        for (target, most) in [(test.hook("appsflyer"), 8192), ("/client/amplitude", 4096)] {
            let client = try TestClient(test.relay.address)
            let fitting = try client.post(target, String(repeating: " ", count: most), fields)
            #expect(fitting.status == 400, "\(fitting.text)")
            #expect(try client.post(target, String(repeating: " ", count: most + 1), fields).status == 413)
        }
    }
}
