import Foundation
import Testing

@Suite("The whole process: its front door", .serialized)
struct FrontDoorTests {
    @Test("a client that hangs up while it waits for Adapty is closed within two seconds, and its patch arrives")
    func hangsUp() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "latency=4000ms"])
        let before = try descriptors(of: test.relay)
        let body = #"{"branch_id":"b"}"#
        var clients: [TestClient] = []
        for number in 0..<200 {
            let client = try TestClient(test.relay.address)
            let head =
                "POST \(RelayUnderTest.dropIn) HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                + "Authorization: Api-Key \(RelayUnderTest.clientKey)\r\nadapty-customer-user-id: u\(number)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n"
            try client.write(Array((head + body).utf8))
            clients.append(client)
        }
        for _ in 0..<100 {
            if try test.metric("patchbay_profiles_waiting") == 200 { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try descriptors(of: test.relay) >= before + 200)
        clients.removeAll()
        try await Task.sleep(for: .seconds(2))
        // Those of the attempts that are under way stay.
        #expect(try descriptors(of: test.relay) < before + 150)
        #expect(test.relay.log.contains(#""status":499"#))
        try await test.delivered()
        #expect(try test.held().profiles.count == 200)
    }

    private func descriptors(of relay: RunningPatchbay) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(relay.pid)/fd").count
    }

    @Test("strangers' requests are written in a few lines, counted whole, and one of somebody known in between is seen")
    func strangers() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let request = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
        try client.write(Array(String(repeating: request, count: 2000).utf8))
        for _ in 0..<2000 { #expect(try client.readAnswer(to: "GET").status == 404) }
        #expect(
            try client.post(test.hook("appsflyer"), #"{"appsflyer_id":"1","customer_user_id":"u"}"#).status == 200)
        #expect(try await test.logs(#""route":"/hooks/appsflyer""#))
        #expect(try test.metric("patchbay_requests_total", #"status="404""#) == 2000)
        #expect(try test.metric("patchbay_rejections_total", #"code="not_found""#) == 2000)
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        let lines = test.relay.log.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary
        }.filter { $0["status"] as? Int == 404 }
        let counted = lines.reduce(0) { $0 + ($1["count"] as? Int ?? 1) }
        #expect(counted == 2000)
        #expect(lines.count < 100)
    }

    @Test("without a token the admin listener answers nobody who asks for a host of another name")
    func rebinding() async throws {
        let test = try await RelayUnderTest()
        func status(_ path: String, host: String, at relay: RunningPatchbay) throws -> Int {
            let client = try TestClient(relay.adminAddress)
            try client.write(Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8))
            return try client.readAnswer(to: "GET").status
        }
        for path in ["/outbox?plain", "/metrics", "/rejected"] {
            #expect(try status(path, host: "evil.example", at: test.relay) == 421)
            #expect(try status(path, host: "localhost:8081", at: test.relay) == 200)
            #expect(try status(path, host: test.relay.adminAddress, at: test.relay) == 200)
        }
        #expect(try status("/livez", host: "evil.example", at: test.relay) == 200)

        // A name that is configured is answered, as soon as the configuration was read again.
        let yaml = try String(contentsOfFile: test.configuration, encoding: .utf8)
        try yaml.replacing(
            "admin: { listen: 127.0.0.1:0 }", with: "admin: { listen: 127.0.0.1:0, hosts: [Ops.Internal] }"
        )
        .write(toFile: test.configuration, atomically: true, encoding: .utf8)
        test.relay.send(SIGHUP)
        #expect(try await test.logs("the configuration was read again"))
        #expect(try status("/metrics", host: "ops.internal:9000", at: test.relay) == 200)
        #expect(try status("/metrics", host: "evil.example", at: test.relay) == 421)
    }

    @Test("with too few descriptors the start ends with 1 and says how many are needed, and with as many it serves")
    func tooFewDescriptors() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            listen: 127.0.0.1:0
            admin: { listen: 127.0.0.1:0 }
            outbox: sqlite:\(directory.path)/patchbay.db
            loops: 3
            apps:
              main: { upstream: "http://127.0.0.1:1", secret_key: env:KEY, concurrency: 50 }
              other: { upstream: "http://127.0.0.1:1", secret_key: env:KEY, concurrency: 7 }
            """, to: "patchbay.yaml")
        func serve(_ limit: Int) async throws -> RunningPatchbay {
            try await RunningPatchbay(
                ["serve", "--config", path], environment: ["KEY": "secret_live_x"], limiting: "ulimit -n \(limit)")
        }
        let failure = await #expect(throws: RunningPatchbay.Failure.self) { _ = try await serve(24) }
        let words = try #require(failure?.description.firstMatch(of: /24 file descriptors .* needs ([0-9]+)/))
        let needed = try #require(Int(words.1))
        // A pool of connections for each app on each loop.
        #expect(needed > 3 * (50 + 7))
        await #expect(throws: RunningPatchbay.Failure.self) { _ = try await serve(needed - 1) }
        let relay = try await serve(needed)
        #expect(try TestClient(relay.address).send("GET", "/readyz").status == 200)
    }
}
