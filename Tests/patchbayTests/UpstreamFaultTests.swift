import Foundation
import Testing

/// An upstream that is not Adapty at its best. Every webhook is accepted all the same, and arrives when it can.
@Suite("The whole process: upstreams that misbehave", .serialized)
struct UpstreamFaultTests {
    private static let body = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    /// Posts one webhook and returns the attempt's line of the log.
    private func attempt(_ upstream: RawUpstream, app: String = "") async throws -> NSDictionary {
        let test = try await RelayUnderTest(upstream: upstream.address, app: app)
        #expect(try TestClient(test.relay.address).post(test.hook("appsflyer"), Self.body).status == 200)
        for _ in 0..<500 {
            for line in test.relay.log.split(separator: "\n") {
                guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary,
                    object["message"] as? String == "attempt"
                else { continue }
                #expect(try test.metric("patchbay_profiles_waiting") == 1)
                #expect(test.relay.isRunning)
                return object
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw RunningPatchbay.Failure("no attempt: \(test.relay.log)")
    }

    // Regression: every 200 counted as applied; of 40 events none arrived, without a word.
    @Test(
        "HTML is never an answer of Adapty's, whatever the status: it is tried again",
        arguments: [(200, "refused"), (403, "refused"), (502, "failed")])
    func html(status: Int, outcome: String) async throws {
        let html = "<html>Bad gateway</html>"
        let answer =
            "HTTP/1.1 \(status) x\r\nContent-Type: text/html\r\nContent-Length: \(html.utf8.count)\r\n\r\n\(html)"
        let line = try await attempt(try RawUpstream(answer))
        #expect(line["outcome"] as? String == outcome)
        #expect(line["status"] as? Int == status)
    }

    @Test("a 404 that is not Adapty's is tried again, and loses nothing")
    func strange404() async throws {
        let answer = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nno!"
        #expect(try await attempt(try RawUpstream(answer))["outcome"] as? String == "refused")
    }

    @Test("a redirect is never followed: it is tried again")
    func redirect() async throws {
        let answer = "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        #expect(try await attempt(try RawUpstream(answer))["outcome"] as? String == "refused")
    }

    @Test("an upstream that closes without a word is tried again")
    func nothing() async throws {
        #expect(try await attempt(try RawUpstream(nil, closesAtOnce: true))["outcome"] as? String == "failed")
    }

    @Test("an upstream that never answers is given up after the timeout and tried again")
    func never() async throws {
        let line = try await attempt(try RawUpstream(nil), app: "timeout: 1s")
        #expect(line["outcome"] as? String == "failed")
        #expect((line["attempt_ms"] as? Double).map { $0 >= 900 && $0 < 14_000 } == true)
    }

    @Test("a wrong key pauses the app loudly; the key's text is nowhere")
    func wrongKey() async throws {
        let sandbox = try await RunningPatchbay(["sandbox", "--listen", "127.0.0.1:0", "--key", "another"])
        let test = try await RelayUnderTest(upstream: sandbox.address)
        _ = try TestClient(test.relay.address).post(test.hook("appsflyer"), Self.body)
        for _ in 0..<250 where !test.relay.log.contains("settings are wrong") {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(test.relay.log.contains("settings are wrong"))
        #expect(!test.relay.log.contains("canary"))
        #expect(try test.metric("patchbay_circuit_open") == 1)
        #expect(try test.metric("patchbay_profiles_waiting") == 1)
    }

    @Test("a profile that is not there yet is delivered once it is")
    func comesLater() async throws {
        let test = try await RelayUnderTest(sandboxOptions: [])
        _ = try TestClient(test.relay.address).post(test.hook("appsflyer"), Self.body)
        try await Task.sleep(for: .milliseconds(300))
        #expect(try test.metric("patchbay_profiles_waiting") == 1)
        let sandbox = try #require(test.sandbox)
        #expect(try TestClient(sandbox.address).send("PUT", "/_sandbox/profiles/u").status == 204)
        try await test.delivered(within: 30)
        #expect(try test.held().profiles["u"] == ["appsflyer_id": "1-2"])
    }

    /// One attempt in seven fails: enough for many to be tried again, and too few for one to be tried so often that its
    /// backoff takes a minute.
    @Test("with failures at random, everything arrives in the end")
    func flaky() async throws {
        let faults = ["500:0.06", "reset:0.06", "429:0.03"].flatMap { ["--fault", $0] }
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile"] + faults)
        let statuses = try await TestClient.postAll(test.relay.address, test.hook("appsflyer"), count: 200) { index in
            #"{"appsflyer_id":"\#(index)-2","customer_user_id":"user-\#(index)"}"#
        }
        #expect(statuses == [200: 200])
        try await test.delivered(within: 120)
        let (profiles, _) = try test.held()
        #expect(profiles.count == 200)
        for index in 0..<200 { #expect(profiles["user-\(index)"] == ["appsflyer_id": "\(index)-2"]) }
        #expect(try test.metric("patchbay_attempts_total", #"outcome="failed""#) > 0)
    }
}
