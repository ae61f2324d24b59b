import Foundation
import Testing

@Suite("The whole process: enabled: false", .timeLimit(.minutes(2)))
struct DisabledTests {
    private static let event = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    private func reload(_ test: RelayUnderTest, _ old: String, _ new: String) async throws {
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(toFile: test.configuration, atomically: true, encoding: .utf8)
        let before = test.relay.log.utf8.count
        test.relay.send(SIGHUP)
        for _ in 0..<100 {
            try await Task.sleep(for: .milliseconds(50))
            let new = String(decoding: test.relay.log.utf8.dropFirst(before), as: UTF8.self)
            if new.contains("the configuration was read again") { return }
        }
        Issue.record("not reloaded: \(test.relay.log.suffix(500))")
    }

    @Test("a source and a client key are told to come again, in their own voice, until they are enabled")
    func callers() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let key = ["Authorization": "Api-Key \(RelayUnderTest.writerKey)", "adapty-customer-user-id": "u"]
        try await reload(test, "mixpanel: { ", "mixpanel: { enabled: false, ")
        try await reload(test, "kiosk: { ", "kiosk: { enabled: false, ")

        let refused = try client.post(test.hook("mixpanel"), #"{"action":"members"}"#)
        #expect(refused.status == 503 && refused.headers["retry-after"] == "60")
        #expect(refused.json?["action"] as? String == "members" && refused.json?["status"] as? String == "failure")
        #expect(try client.post("/hooks/mixpanel?token=wrong", "{}").status == 401)
        let unknown = try client.post("/client/appsflyer", #"{"appsflyer_id":"1"}"#, key)
        #expect(unknown.status == 503 && unknown.headers["retry-after"] == "60")
        #expect(unknown.json?["error_code"] as? String == "unavailable")
        // Others go on.
        #expect(try client.post(test.hook("appsflyer"), Self.event).status == 200)
        #expect(try await test.logs(#""cause":"disabled""#))

        try await reload(test, "mixpanel: { enabled: false, ", "mixpanel: { enabled: true, ")
        try await reload(test, "kiosk: { enabled: false, ", "kiosk: { ")
        #expect(try client.post(test.hook("mixpanel"), #"{"action":"members"}"#).status == 200)
        #expect(try client.post("/client/appsflyer", #"{"appsflyer_id":"1"}"#, key).status == 200)
    }

    @Test(
        "of an app everything that comes is kept, nothing is delivered, and both ends are told why",
        arguments: [
            false, true,
        ])
    func app(fromStart: Bool) async throws {
        let test = try await RelayUnderTest(app: fromStart ? "enabled: false" : "enabled: true")
        let client = try TestClient(test.relay.address)
        if !fromStart {
            #expect(
                try client.post(test.hook("appsflyer"), Self.event.replacing("\"u\"", with: "\"before\"")).status == 200
            )
            try await test.delivered()
            try await reload(test, "enabled: true", "enabled: false")
        }
        let before = try test.held().requests
        #expect(try client.post(test.hook("appsflyer"), Self.event).json?["accepted"] as? Int == 1)
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "v"]
        let start = ContinuousClock.now
        #expect(try client.post("/client/appsflyer", #"{"appsflyer_id":"3-4"}"#, key).status == 202)
        #expect(start.duration(to: .now) < .seconds(4))
        let reading = try client.send("GET", RelayUnderTest.dropIn, key)
        #expect(reading.status == 503 && reading.headers["retry-after"] == "60")

        let survey = try TestClient(test.relay.adminAddress).send("GET", "/outbox?text").text
        #expect(survey.contains("main is disabled in the configuration"), "\(survey)")
        let held = try TestClient(test.relay.adminAddress).send("GET", "/outbox").text
        #expect(held.contains(#""held":"disabled""#) && held.contains(#""paused""#), "\(held)")
        #expect(!test.relay.log.contains("undelivered of an app that is not configured"))
        #expect(try test.held().requests == before)

        // Durable, and disabled still, after the worst that can happen.
        try await test.relay.kill9()
        try await test.startAgain()
        try await Task.sleep(for: .milliseconds(300))
        #expect(try test.held().requests == before)
        // What was delivered just before may be due again: that is kept with a later commit.
        #expect(try (2...3).contains(test.metric("patchbay_profiles_waiting")))

        try await reload(test, "enabled: false", "enabled: true")
        try await test.delivered()
        #expect(try test.held().profiles["u"] == ["appsflyer_id": "1-2"])
        #expect(try test.held().profiles["v"] == ["appsflyer_id": "3-4"])
        #expect(try !TestClient(test.relay.adminAddress).send("GET", "/outbox").text.contains("disabled"))
    }
}
