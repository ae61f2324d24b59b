import Foundation
import Testing

/// The promise: what was answered 2xx reaches Adapty, the newest value of each field, once per change.
@Suite("The whole process: from webhook to upstream", .serialized)
struct DeliveryEndToEndTests {
    private static func event(_ user: Int, id: String, at time: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
        return
            #"{"appsflyer_id":"\#(id)","customer_user_id":"user-\#(user)","event_time":"\#(formatter.string(from: time))"}"#
    }

    @Test("10,000 webhooks over 500 profiles, in any order: the sandbox ends with the newest value of each field")
    func newestWins() async throws {
        let test = try await RelayUnderTest()
        // Twenty events a profile, whose times do not follow the order of arrival.
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        let order = (0..<10_000).map { ($0 * 7919) % 10_000 }
        let statuses = try await TestClient.postAll(test.relay.address, test.hook("appsflyer"), count: 10_000) {
            index in
            let event = order[index]
            return Self.event(event % 500, id: "\(event)-1", at: start.addingTimeInterval(Double(event)))
        }
        #expect(statuses == [200: 10_000])
        try await test.delivered()
        let (profiles, requests) = try test.held()
        #expect(profiles.count == 500)
        for user in 0..<500 { #expect(profiles["user-\(user)"] == ["appsflyer_id": "\(9500 + user)-1"]) }
        #expect(requests < 10_000)
        print("10,000 webhooks over 500 profiles took \(requests) upstream requests")
        #expect(!test.relay.log.contains("canary"))
    }

    @Test("upstream down, 5,000 accepted, kill -9, start again, upstream up: all 5,000 profiles arrive")
    func survivesKill() async throws {
        // A port on which nobody listens.
        let probe = try await RelayUnderTest.startSandbox("127.0.0.1:0")
        let upstream = probe.address
        try await probe.kill9()
        let test = try await RelayUnderTest(upstream: upstream)
        let statuses = try await TestClient.postAll(test.relay.address, test.hook("appsflyer"), count: 5_000) { index in
            #"{"appsflyer_id":"\#(index)-2","customer_user_id":"user-\#(index)"}"#
        }
        #expect(statuses == [200: 5_000])
        try await test.relay.kill9()
        try await test.startAgain()
        #expect(try test.metric("patchbay_profiles_waiting") == 5_000)
        let sandbox = try await RelayUnderTest.startSandbox(upstream)
        try await test.delivered(within: 120)
        let (profiles, _) = try RelayUnderTest.held(sandbox)
        #expect(profiles.count == 5_000)
        for index in 0..<5_000 { #expect(profiles["user-\(index)"] == ["appsflyer_id": "\(index)-2"]) }
    }

    @Test("SIGTERM under load: what is in flight ends, and nothing that was answered 2xx is lost")
    func drains() async throws {
        let test = try await RelayUnderTest()
        let (address, target) = (test.relay.address, test.hook("appsflyer"))
        // Each lane posts until it is turned away, and remembers what was answered 200.
        let lanes = (0..<8).map { lane in
            Task {
                try await TestClient.onThread {
                    var accepted: [Int] = []
                    guard var client = try? TestClient(address) else { return accepted }
                    for index in stride(from: lane, to: 1_000_000, by: 8) {
                        let body = #"{"appsflyer_id":"\#(index)-3","customer_user_id":"user-\#(index)"}"#
                        if let answer = try? client.post(target, body) {
                            if answer.status == 200 { accepted.append(index) }
                            if answer.headers["connection"] != "close" { continue }
                        }
                        guard let next = try? TestClient(address) else { return accepted }
                        client = next
                    }
                    return accepted
                }
            }
        }
        try await Task.sleep(for: .milliseconds(700))
        // A busy machine takes longer to be under load. At most eight of these are not answered yet.
        for _ in 0..<1500 where try test.metric("patchbay_outbox_accepted_total") <= 108 {
            try await Task.sleep(for: .milliseconds(20))
        }
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        var accepted: [Int] = []
        for lane in lanes { accepted += try await lane.value }
        #expect(accepted.count > 100)
        try await test.startAgain()
        try await test.delivered()
        let (profiles, _) = try test.held()
        for index in accepted where profiles["user-\(index)"] == nil { Issue.record("user-\(index) is lost") }
        print("SIGTERM under load: \(accepted.count) accepted, all delivered")
    }

    @Test("readiness turns 503 before the door closes")
    func readinessTurnsFirst() async throws {
        // Longer than a busy machine takes to ask.
        let test = try await RelayUnderTest(settings: "drain: { delay: 3s, timeout: 10s }")
        let client = try TestClient(test.relay.address)
        #expect(try client.send("GET", "/readyz").status == 200)
        test.relay.send(SIGTERM)
        var status = 200
        for _ in 0..<100 where status == 200 {
            try await Task.sleep(for: .milliseconds(10))
            status = try client.send("GET", "/readyz").status
        }
        #expect(status == 503)
        #expect(try await test.relay.ended() == 0)
    }

    @Test("a client that waits while the node stops is told that its patch is kept, and the stop keeps its time")
    func waitersAreTold() async throws {
        let test = try await RelayUnderTest(
            sandboxOptions: ["--any-profile", "--fault", "latency=60000ms"],
            settings: "drain: { delay: 0s, timeout: 6s }")
        let address = test.relay.address
        async let answer = TestClient.onThread {
            try TestClient(address).post(
                RelayUnderTest.dropIn, #"{"branch_id":"b"}"#,
                [
                    "Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u",
                    "Prefer": "wait=30",
                ])
        }
        while try test.metric("patchbay_profiles_waiting") == 0 { try await Task.sleep(for: .milliseconds(20)) }
        let begin = ContinuousClock.now
        test.relay.send(SIGTERM)
        let (status, id) = try await (answer.status, answer.json?["id"] as? String)
        #expect(status == 202 && id != nil)
        #expect(try await test.relay.ended() == 0)
        // Half of it for who waits, the other half for the attempt. Twice the timeout was what it took before.
        #expect(ContinuousClock.now - begin < .seconds(11))
        #expect(test.relay.log.contains(#""message":"draining","delay_ms":"#))
        #expect(test.relay.log.contains(#""status":202"#))
    }

    @Test("an unchanged event takes no upstream request")
    func unchangedIsNotSent() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let body = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#
        #expect(try client.post(test.hook("appsflyer"), body).json?["accepted"] as? Int == 1)
        try await test.delivered()
        for _ in 0..<5 { #expect(try client.post(test.hook("appsflyer"), body).json?["unchanged"] as? Int == 1) }
        #expect(try test.held().requests == 1)
    }

    @Test(
        "a delivered profile is known after a start; it is looked up in the file until it is kept in memory",
        arguments: [(kept: 0, lookups: 3.0), (kept: 100, lookups: 1)])
    func isLookedUp(kept: Int, lookups: Double) async throws {
        let test = try await RelayUnderTest(settings: "retention: { profiles_in_memory: \(kept) }")
        let body = #"{"appsflyer_id":"1-2","customer_user_id":"u","event_time":"2026-01-01 00:00:00"}"#
        _ = try TestClient(test.relay.address).post(test.hook("appsflyer"), body)
        try await test.delivered()
        #expect(try test.metric("patchbay_outbox_lookups_total", "new") == 1)
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        try await test.startAgain()
        let client = try TestClient(test.relay.address)
        for _ in 0..<3 { #expect(try client.post(test.hook("appsflyer"), body).json?["unchanged"] as? Int == 1) }
        #expect(try test.metric("patchbay_outbox_lookups_total", "found") == lookups)
        #expect(try test.held().requests == 1)
    }

    @Test("one profile's patches of several vendors become few requests, and all their fields arrive")
    func mergesVendors() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "latency=100ms"])
        let client = try TestClient(test.relay.address)
        _ = try client.post(test.hook("appsflyer"), #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#)
        _ = try client.post(test.hook("amplitude"), #"{"user_id":"u","device_id":"device-1"}"#)
        _ = try client.post(test.hook("appmetrica"), #"{"appmetrica_device_id":14820355917743086215,"profile_id":"u"}"#)
        try await test.delivered()
        let (profiles, requests) = try test.held()
        #expect(
            profiles["u"] == [
                "appsflyer_id": "1-2", "amplitude_user_id": "u", "amplitude_device_id": "device-1",
                "appmetrica_device_id": "14820355917743086215", "appmetrica_profile_id": "u",
            ])
        #expect(requests <= 2)
    }
}
