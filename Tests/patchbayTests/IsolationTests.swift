import Foundation
import Testing

/// What Adapty, or somebody in between, has against one profile or one value is nobody else's trouble.
@Suite("The whole process: one's trouble stays with one", .serialized, .timeLimit(.minutes(2)))
struct IsolationTests {
    private static func event(_ user: String, _ fields: String) -> String {
        #"{"customer_user_id":"\#(user)","app_id":"id1","event_name":"x",\#(fields)}"#
    }

    private static let clientHeaders = [
        "Authorization": "Api-Key \(RelayUnderTest.clientKey)", "Content-Type": "application/json",
    ]

    /// Waits until something holds; records an issue where it never does.
    private func eventually(
        _ what: Comment, within seconds: Int = 30, _ isTrue: () throws -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for _ in 0..<(seconds * 20) {
            if try isTrue() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record(what, sourceLocation: sourceLocation)
    }

    // Regression: a firewall that refused five customer ids paused the app: the probe took a refused one each time, and
    // everybody else waited for minutes.
    @Test("profiles that a firewall refuses hold up nobody, though there are more than open a circuit")
    func firewall() async throws {
        let upstream = try ScriptedUpstream { $0.user.hasPrefix("waf") ? .firewall : .ok }
        let test = try await RelayUnderTest(upstream: upstream.address)
        let client = try TestClient(test.relay.address)
        for number in 0..<40 {
            _ = try client.post(test.hook("appsflyer"), Self.event("waf\(number)", #""appsflyer_id":"1-2""#))
        }
        try await eventually("the circuit never opens") { try test.metric("patchbay_circuit_open") == 1 }
        let start = ContinuousClock.now
        for number in 0..<40 {
            _ = try client.post(test.hook("appsflyer"), Self.event("user\(number)", #""appsflyer_id":"1-2""#))
        }
        try await eventually("sound profiles wait") { (0..<40).allSatisfy { upstream.held("user\($0)") != nil } }
        #expect(.now - start < .seconds(20))
        // Also when only those that are refused are left, and tried again and again.
        try await Task.sleep(for: .seconds(4))
        _ = try client.post(test.hook("appsflyer"), Self.event("late", #""appsflyer_id":"1-2""#))
        try await eventually("who comes later waits", within: 5) { upstream.held("late") != nil }
        #expect(try test.metric("patchbay_profiles_waiting") == 40)
        #expect(try test.metric("patchbay_dead_letters") == 0)
    }

    @Test("a single answer that is not Adapty's pauses nobody", arguments: [425, 499, 405, 409, 423, 402, 302])
    func single(status: Int) async throws {
        let upstream = try ScriptedUpstream { asked in
            asked.user == "odd" ? ScriptedUpstream.Answer(status: status, body: "") : .ok
        }
        let test = try await RelayUnderTest(upstream: upstream.address)
        let client = try TestClient(test.relay.address)
        _ = try client.post(test.hook("appsflyer"), Self.event("odd", #""appsflyer_id":"1-2""#))
        try await eventually("it is not tried") { !upstream.requests.isEmpty }
        _ = try client.post(test.hook("appsflyer"), Self.event("even", #""appsflyer_id":"1-2""#))
        try await eventually("the other waits", within: 5) { upstream.held("even") != nil }
        #expect(try test.metric("patchbay_circuit_open") == 0)
    }

    /// Answers 400 to a value, with or without the field's name.
    private static func poisoned(named: Bool) throws -> ScriptedUpstream {
        try ScriptedUpstream { asked in
            guard asked.body.contains("POISON") else { return .ok }
            let source = named ? #""facebook_anonymous_id""# : "null"
            return .error(400, "validation_error", #"[{"source":\#(source),"errors":["too long"]}]"#)
        }
    }

    // Regression: the AppsFlyer id that was merged with a refused value lay in the dead letter with it.
    @Test("one refused field takes nothing with it, whether it is named or not", arguments: [true, false])
    func oneField(isNamed: Bool) async throws {
        let upstream = try Self.poisoned(named: isNamed)
        let test = try await RelayUnderTest(upstream: upstream.address)
        var headers = Self.clientHeaders
        headers["adapty-customer-user-id"] = "ann"
        let answer = try TestClient(test.relay.address).post(
            RelayUnderTest.dropIn, #"{"facebook_anonymous_id":"POISON","appsflyer_id":"1-2","branch_id":"b"}"#, headers)
        #expect(answer.status == 400 && answer.text.contains("too long"))
        try await eventually("the rest does not go") {
            upstream.held("ann") == ["appsflyer_id": "1-2", "branch_id": "b"]
        }
        try await test.delivered()
        #expect(try test.metric("patchbay_dead_letters") == 1)
        let replay = try RunningPatchbay.run(
            [
                "outbox", "replay", "--state", "dead", "--yes", "--config", test.configuration,
                "--admin", test.relay.adminAddress,
            ])
        #expect(replay.status == 0)
        try await eventually("the refused value is not sent again") {
            upstream.requests(of: "ann").last == #"{"facebook_anonymous_id":"POISON"}"#
        }
    }

    // Regression: fifty events of one refused value made fifty requests and fifty dead letters.
    @Test("a refused value costs one request, and has one dead letter, however often it is said")
    func remembered() async throws {
        let upstream = try Self.poisoned(named: true)
        let test = try await RelayUnderTest(upstream: upstream.address)
        var headers = Self.clientHeaders
        headers["adapty-customer-user-id"] = "ann"
        let client = try TestClient(test.relay.address)
        let answers = try (0..<50).map { _ in
            try client.post(RelayUnderTest.dropIn, #"{"facebook_anonymous_id":"POISON"}"#, headers)
        }
        #expect(answers.allSatisfy { $0.status == 400 && $0.text == answers[0].text })
        #expect(answers[0].text.contains("too long") && answers[0].headers["content-type"] == "application/json")
        #expect(upstream.requests.count == 1)
        #expect(try test.metric("patchbay_dead_letters") == 1)
        let other = try client.post(RelayUnderTest.dropIn, #"{"facebook_anonymous_id":"good"}"#, headers)
        #expect(other.status == 200 && upstream.held("ann") == ["facebook_anonymous_id": "good"])
    }

    // Regression: an app whose key had been mended delivered again, and was shown and treated as paused for ever.
    @Test("an app that was mended by a reload is as if it had never been paused")
    func mended() async throws {
        let test = try await RelayUnderTest()
        let key = try test.directory.write("secret_live_wrong", to: "secret")
        func reload(_ edit: (String) -> String) async throws {
            let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
            try edit(text).write(toFile: test.configuration, atomically: true, encoding: .utf8)
            let reloads = test.relay.log.components(separatedBy: "the configuration was read again").count
            test.relay.send(SIGHUP)
            try await eventually("no reload") {
                test.relay.log.components(separatedBy: "the configuration was read again").count > reloads
            }
        }
        try await reload { $0.replacing("secret_key: env:KEY", with: "secret_key: file:\(key)") }
        let client = try TestClient(test.relay.address)
        _ = try client.post(test.hook("appsflyer"), Self.event("ann", #""appsflyer_id":"1-2""#))
        try await eventually("the app is not paused") { try test.metric("patchbay_circuit_open") == 1 }
        _ = try test.directory.write(RelayUnderTest.secretKey, to: "secret")
        try await reload { $0 }
        try await test.delivered()
        #expect(try test.metric("patchbay_circuit_open") == 0)
        var headers = Self.clientHeaders
        headers["adapty-customer-user-id"] = "bob"
        #expect(try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers).status == 200)
        let admin = try TestClient(test.relay.adminAddress)
        #expect(try admin.send("GET", "/outbox").text.contains(#""held":{}"#))
    }

    // Regression: the old value, applied after its attempt had timed out, stayed over the newer one.
    @Test("a value that is applied late is set right again")
    func appliedLate() async throws {
        let upstream = try ScriptedUpstream { asked in
            var answer = ScriptedUpstream.Answer.ok
            if asked.user == "ann", asked.number == 0 { answer.delay = .seconds(4) }
            return answer
        }
        let test = try await RelayUnderTest(upstream: upstream.address, app: "timeout: 1s, settle_after: 6s")
        let client = try TestClient(test.relay.address)
        func post(_ id: String, _ time: String) throws {
            let fields = #""appsflyer_id":"\#(id)","event_time":"2026-11-01 10:00:\#(time)""#
            _ = try client.post(test.hook("appsflyer"), Self.event("ann", fields))
        }
        try post("1-old", "00")
        try await eventually("nothing is sent") { upstream.requests.count == 1 }
        try post("2-new", "01")
        try await eventually("the old value is not applied late") { upstream.held("ann")?["appsflyer_id"] == "1-old" }
        try await eventually("the new value does not come back") { upstream.held("ann")?["appsflyer_id"] == "2-new" }
        try await test.delivered()
        #expect(upstream.requests(of: "ann").filter { $0.contains("2-new") }.count == 2)
    }
}
