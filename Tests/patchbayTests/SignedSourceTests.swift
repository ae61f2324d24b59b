import Crypto
import Foundation
import Testing

/// Sources that sign what they send: what comes again, and which of their secrets is still used.
@Suite("The whole process: signed sources", .timeLimit(.minutes(2)))
struct SignedSourceTests {
    private static let secrets = ["canary-new-secret-0123456789", "canary-old-secret-0123456789"]

    private static let settings = """
        vendors:
          acme: { identifiers: { appsflyer_id: [/id] }, customer_user_id: [/user] }
        """

    private func relay() async throws -> RelayUnderTest {
        let test = try await RelayUnderTest(
            settings: Self.settings,
            environment: [
                "NEW": "whsec_" + Data(Self.secrets[0].utf8).base64EncodedString(),
                "OLD": "whsec_" + Data(Self.secrets[1].utf8).base64EncodedString(),
                "SLACK": Self.secrets[0], "BASIC": "user:canary-1", "OTHER_BASIC": "user:canary-2",
                "OTHER_TOKEN": "canary-other-token", "OTHER_KEY": "canary-other-client-key",
            ])
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
            .replacing(
                "sources:",
                with: """
                    sources:
                      signed: { vendor: acme, app: main, auth: { standard_webhooks: [env:NEW, env:OLD] } }
                      slack: { vendor: acme, app: main, auth: { slack: env:SLACK } }
                      basic: { vendor: acme, app: main, auth: { basic: [env:BASIC, env:OTHER_BASIC] } }
                      token: { vendor: acme, app: main, auth: { token: [env:TOKEN, env:OTHER_TOKEN] } }
                    """
            ).replacing("key: env:CLIENT_KEY", with: "key: [env:OTHER_KEY, env:CLIENT_KEY]")
        try text.write(toFile: test.configuration, atomically: true, encoding: .utf8)
        try await test.relay.kill9()
        try await test.startAgain()
        return test
    }

    private func code(_ secret: String, _ text: String) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: Data(secret.utf8)))
    }

    private func webhook(_ id: String, _ body: String, at time: Int, secret: Int = 0) -> [String: String] {
        let signature = Data(code(Self.secrets[secret], "\(id).\(time).\(body)")).base64EncodedString()
        return ["webhook-id": id, "webhook-timestamp": "\(time)", "webhook-signature": "v1,\(signature)"]
    }

    private func slack(_ body: String, at time: Int) -> [String: String] {
        let signature = code(Self.secrets[0], "v0:\(time):\(body)").map { String(format: "%02x", $0) }.joined()
        return ["X-Slack-Request-Timestamp": "\(time)", "X-Slack-Signature": "v0=\(signature)"]
    }

    private func body(_ value: String, _ user: String = "u") -> String { #"{"id":"\#(value)","user":"\#(user)"}"# }

    private var now: Int { Int(Date.now.timeIntervalSince1970) }

    @Test("a webhook that is sent again, byte for byte or signed anew, turns nothing back, not even after a restart")
    func replayed() async throws {
        let test = try await relay()
        var client = try TestClient(test.relay.address)
        let (old, new) = (body("old"), body("new"))
        let (first, second) = (webhook("m1", old, at: now - 60), webhook("m2", new, at: now - 30))
        let (slackFirst, slackSecond) = (slack(body("old", "s"), at: now - 60), slack(body("new", "s"), at: now - 30))
        #expect(try client.post("/hooks/signed", old, first).json?["accepted"] as? Int == 1)
        #expect(try client.post("/hooks/slack", body("old", "s"), slackFirst).json?["accepted"] as? Int == 1)
        try await test.delivered()
        #expect(try client.post("/hooks/signed", new, second).json?["accepted"] as? Int == 1)
        #expect(try client.post("/hooks/slack", body("new", "s"), slackSecond).json?["accepted"] as? Int == 1)
        try await test.delivered()

        func isUnchanged(_ path: String, _ body: String, _ headers: [String: String]) throws -> Bool {
            let answer = try client.post(path, body, headers)
            return answer.status == 200 && answer.text.hasPrefix(#"{"accepted":0,"unchanged":1,"skipped":0,"#)
        }
        #expect(try isUnchanged("/hooks/signed", old, first))
        #expect(try isUnchanged("/hooks/slack", body("old", "s"), slackFirst))
        // The sender repeats it, with the time of the repetition.
        #expect(try isUnchanged("/hooks/signed", old, webhook("m1", old, at: now)))
        // What is another message is none of these, also where its id is the same.
        let newest = body("newest")
        #expect(try client.post("/hooks/signed", newest, webhook("m1", newest, at: now)).json?["accepted"] as? Int == 1)
        try await test.delivered()
        #expect(try isUnchanged("/hooks/signed", old, first))

        try await test.relay.kill9()
        try await test.startAgain()
        client = try TestClient(test.relay.address)
        // Which messages were answered is forgotten; when they were signed is not.
        #expect(try isUnchanged("/hooks/signed", old, first))
        #expect(try isUnchanged("/hooks/slack", body("old", "s"), slackFirst))
        try await test.delivered()
        #expect(try test.held().profiles == ["u": ["appsflyer_id": "newest"], "s": ["appsflyer_id": "new"]])
    }

    @Test("messages of one second are each heard, the later one last, and copies that come together are harmless")
    func together() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        let time = now
        for value in ["a", "b", "c"] {
            let answer = try client.post("/hooks/signed", body(value), webhook("m-\(value)", body(value), at: time))
            #expect(answer.json?["accepted"] as? Int == 1)
        }
        let (copy, headers) = (body("x", "v"), webhook("m-x", body("x", "v"), at: time))
        #expect(
            try await TestClient.postAll(
                test.relay.address, "/hooks/signed", connections: 8, count: 200,
                headers: headers.merging(["Content-Type": "application/json"]) { $1 }
            ) { _ in copy } == [200: 200])
        try await test.delivered()
        #expect(try test.held().profiles == ["u": ["appsflyer_id": "c"], "v": ["appsflyer_id": "x"]])
    }

    @Test("which of several secrets is used is counted by its place, and a reload keeps what it learnt")
    func uses() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        func uses(_ label: String, _ place: Int) throws -> Double {
            let text = try TestClient(test.relay.adminAddress).send("GET", "/metrics").text
            let line = "patchbay_secret_used_total{\(label),place=\"\(place)\"} "
            let found = try #require(text.split(separator: "\n").first { $0.hasPrefix(line) }, "no \(line)")
            return try #require(Double(found.dropFirst(line.count)))
        }
        for place in 1...2 {
            for label in ["source=\"signed\"", "source=\"basic\"", "source=\"token\"", "client_key=\"ios\""] {
                #expect(try uses(label, place) == 0)
            }
        }
        #expect(try client.post("/hooks/signed", body("1"), webhook("m", body("1"), at: now, secret: 1)).status == 200)
        func basic(_ text: String) -> [String: String] {
            ["Authorization": "Basic " + Data(text.utf8).base64EncodedString()]
        }
        for text in ["user:canary-2", "user:canary-2", "user:canary-1", "user:wrong"] {
            _ = try client.post("/hooks/basic", body("1"), basic(text))
        }
        _ = try client.post("/hooks/token", body("1"), ["Authorization": "canary-other-token"])
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u"]
        _ = try client.post("/client/appsflyer", #"{"appsflyer_id":"1"}"#, key)
        #expect(try (uses("source=\"signed\"", 1), uses("source=\"signed\"", 2)) == (0, 1))
        #expect(try (uses("source=\"basic\"", 1), uses("source=\"basic\"", 2)) == (1, 2))
        #expect(try (uses("source=\"token\"", 1), uses("source=\"token\"", 2)) == (0, 1))
        #expect(try (uses("client_key=\"ios\"", 1), uses("client_key=\"ios\"", 2)) == (0, 1))
        test.relay.send(SIGHUP)
        #expect(try await test.logs("the configuration was read again"))
        _ = try client.post("/hooks/token", body("1"), ["Authorization": "canary-other-token"])
        #expect(try uses("source=\"token\"", 2) == 2)
        #expect(try !TestClient(test.relay.adminAddress).send("GET", "/metrics").text.contains("canary"))
    }
}
