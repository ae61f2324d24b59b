import Foundation
import Testing

/// SIGHUP: all or nothing, and nobody notices but whom it is about.
@Suite("The whole process: SIGHUP", .timeLimit(.minutes(2)))
struct ReloadTests {
    private static let event = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    /// Writes the configuration anew and asks for it to be read; returns when the log says how that went.
    private func reload(_ test: RelayUnderTest, _ edit: (String) -> String) async throws -> Bool {
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
        try edit(text).write(toFile: test.configuration, atomically: true, encoding: .utf8)
        // Only what is new in the log is searched: under load it is long.
        let before = test.relay.log.utf8.count
        test.relay.send(SIGHUP)
        for _ in 0..<100 {
            try await Task.sleep(for: .milliseconds(50))
            let new = String(decoding: test.relay.log.utf8.dropFirst(before), as: UTF8.self)
            if new.contains("the configuration was read again") { return true }
            if new.contains("the configuration is not reloaded") { return false }
        }
        Issue.record("nothing is said of a reload: \(test.relay.log.suffix(500))")
        return false
    }

    @Test("a source, a rotated key and the log's level are there without a restart, and the log names what changed")
    func changes() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let key = try test.directory.write("a-key-from-a-file-1\n", to: "key")
        #expect(try client.post("/hooks/branch?token=\(RelayUnderTest.token)", "{}").status == 404)
        let isRead = try await reload(test) { text in
            text.replacing("sources:", with: "sources:\n  branch: { vendor: branch, app: main, auth: none }")
                .replacing("key: env:CLIENT_KEY", with: "key: [env:CLIENT_KEY, file:\(key)]")
                + "\nlog: { level: debug }\n"
        }
        #expect(isRead)
        #expect(try client.post("/hooks/branch", "{}").status == 200)
        #expect(test.relay.log.contains(#""client_keys.ios.key","log.level","sources.branch.app""#))
        func write(_ key: String) throws -> Int {
            let headers = [
                "Authorization": "Api-Key \(key)", "adapty-customer-user-id": "u", "Content-Type": "application/json",
            ]
            return try client.post("/client/appsflyer", #"{"appsflyer_id":"1-2"}"#, headers).status
        }
        #expect(try write("a-key-from-a-file-1") == 200)
        // The same file, another secret in it.
        _ = try test.directory.write("a-key-from-a-file-2\n", to: "key")
        #expect(try await reload(test) { $0 })
        #expect(test.relay.log.contains(#""changed":["client_keys.ios.key"]"#))
        #expect(try (write("a-key-from-a-file-1"), write("a-key-from-a-file-2")) == (401, 200))
        #expect(!test.relay.log.contains("a-key-from-a-file"))
    }

    @Test(
        "what is wrong, or read only at start, changes nothing at all",
        arguments: [
            ("sources:", "sources:\n  branch: { vendor: brunch, app: main, auth: none }", "did you mean"),
            ("loops: 2", "loops: 3", "a restart is needed to change loops"),
            ("loops: 2", "loops: [", "line"),
            ("rate: {", "reassert_after: 1h, rate: {", "a restart is needed to change apps.main.reassert_after"),
            ("listen: 127.0.0.1:0\nadmin", "listen: 127.0.0.1:1\nadmin", "a restart is needed to change listen"),
        ])
    func keeps(old: String, new: String, words: String) async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let isRead = try await reload(test) { text in
            text.replacing("sources:", with: "sources:\n  adjust: { vendor: adjust, app: main, auth: none }")
                .replacing(old, with: new)
        }
        #expect(!isRead && test.relay.log.contains(words))
        #expect(try client.post("/hooks/adjust", "{}").status == 404)
        #expect(try client.post(test.hook("appsflyer"), Self.event).status == 200)
    }

    @Test("a key that was rotated at Adapty is picked up, and what waited for it arrives")
    func rotatedSecret() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let key = try test.directory.write("secret_live_of_yesterday", to: "secret")
        #expect(try await reload(test) { $0.replacing("secret_key: env:KEY", with: "secret_key: file:\(key)") })
        #expect(try client.post(test.hook("appsflyer"), Self.event).json?["accepted"] as? Int == 1)
        #expect(try await test.logs("the app's settings are wrong"))
        #expect(try test.held().profiles.isEmpty)
        _ = try test.directory.write(RelayUnderTest.secretKey, to: "secret")
        #expect(try await reload(test) { $0 })
        // Not when the paused app would be probed, a minute later.
        try await test.delivered(within: 20)
        #expect(try test.held().profiles["u"]?["appsflyer_id"] == "1-2")
    }

    @Test("what waits for an app that is renamed is named, at the reload and at the next start")
    func renamedApp() async throws {
        let test = try await RelayUnderTest(upstream: "127.0.0.1:1")
        let client = try TestClient(test.relay.address)
        #expect(try client.post(test.hook("appsflyer"), Self.event).json?["accepted"] as? Int == 1)
        let words = "undelivered of an app that is not configured"
        #expect(!test.relay.log.contains(words))
        #expect(
            try await reload(test) {
                $0.replacing("main: { upstream", with: "other: { upstream").replacing("app: main", with: "app: other")
            })
        #expect(try await test.logs(words) && test.relay.log.contains(#""app":"main","waiting":1,"dead_letters":0"#))
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        try await test.startAgain()
        #expect(try await test.logs(words))
    }

    @Test("what is asked for during a reload is done once, when it is over")
    func oneAtATime() async throws {
        let test = try await RelayUnderTest()
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
        // A reload lasts for as long as nobody writes into the file that it reads.
        try FileManager.default.removeItem(atPath: test.configuration)
        #expect(mkfifo(test.configuration, 0o600) == 0)
        /// Gives a text to whoever reads the file; false where nobody does.
        func give(_ text: String, within seconds: Double) async throws -> Bool {
            for _ in 0..<Int(seconds * 100) {
                let descriptor = open(test.configuration, O_WRONLY | O_NONBLOCK)
                if descriptor >= 0 {
                    defer { close(descriptor) }
                    return Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                        == text.utf8.count
                }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }
        func reloads() -> Int { test.relay.log.components(separatedBy: "the configuration was read again").count - 1 }
        test.relay.send(SIGHUP)
        try await Task.sleep(for: .milliseconds(200))
        for _ in 0..<20 {
            test.relay.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(reloads() == 0)
        // The first one reads this, and the one that twenty asked for what stands there by then.
        #expect(try await give(text + "log: { level: debug }\n", within: 5))
        for _ in 0..<100 where reloads() < 1 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await give(text + "log: { level: notice }\n", within: 5))
        for _ in 0..<100 where reloads() < 2 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await !give(text, within: 0.5))
        #expect(reloads() == 2)
        // A stop does not wait for a reload that never ends.
        test.relay.send(SIGHUP)
        try await Task.sleep(for: .milliseconds(200))
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended(within: 15) == 0)
    }

    @Test("after 200 SIGHUPs under load, with files that change between, the last configuration is in force")
    func manyReloads() async throws {
        let tokens = """
            profile_tokens:
              backend: { app: main, key: env:SIGNING, algorithms: [HS256], audience: patchbay }
            """
        let test = try await RelayUnderTest(
            settings: tokens, environment: ["SIGNING": "canary-signing-secret-0123456789abcdef"])
        let (address, hook) = (test.relay.address, test.hook("appsflyer"))
        let sender = Task {
            try await TestClient.postAll(address, hook, connections: 4, count: 4000) { number in
                #"{"appsflyer_id":"1-\#(number)","customer_user_id":"user-\#(number)"}"#
            }
        }
        let key = try test.directory.write(RelayUnderTest.secretKey, to: "secret")
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
            .replacing("secret_key: env:KEY", with: "secret_key: file:\(key)")
        for round in 1...200 {
            // Another way to the upstream and another source each time; and now and then another file that is read.
            let next = text.replacing("main: { upstream", with: "main: { concurrency: \(round + 1), upstream")
                .replacing("sources:", with: "sources:\n  round_\(round): { vendor: adjust, app: main, auth: none }")
            try next.write(toFile: test.configuration, atomically: true, encoding: .utf8)
            if round.isMultiple(of: 7) {
                let secrets = "\(RelayUnderTest.secretKey)\(round.isMultiple(of: 2) ? "\n" : "")"
                try secrets.write(toFile: key, atomically: true, encoding: .utf8)
            }
            test.relay.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(round.isMultiple(of: 10) ? 20 : 2))
        }
        #expect(try await sender.value == [200: 4000])
        let client = try TestClient(address)
        for _ in 0..<200 where try client.post("/hooks/round_200", "{}").status != 200 {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try client.post("/hooks/round_200", "{}").status == 200)
        #expect(try client.post("/hooks/round_199", "{}").status == 404)
        // By the pipeline of the last one, which nobody has retired.
        #expect(
            try client.post(hook, #"{"appsflyer_id":"1-2","customer_user_id":"the-last"}"#).json?["accepted"] as? Int
                == 1)
        try await test.delivered()
        #expect(try test.held().profiles.count == 4001)
        #expect(!test.relay.log.contains("is not reloaded"))
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
    }

    @Test("under load no request fails, nothing is lost, and what is unchanged stays so")
    func underLoad() async throws {
        let test = try await RelayUnderTest()
        let address = test.relay.address
        let hook = test.hook("appsflyer")
        let sender = Task {
            try await TestClient.onThread {
                let client = try TestClient(address)
                var statuses: [Int: Int] = [:]
                for number in 0..<600 {
                    let body = #"{"appsflyer_id":"1-\#(number)","customer_user_id":"user-\#(number)"}"#
                    statuses[try client.post(hook, body).status, default: 0] += 1
                }
                return statuses
            }
        }
        for round in 0..<8 {
            // Another way to the upstream each time.
            let isRead = try await reload(test) {
                $0.replacing("concurrency: \(round + 1), ", with: "").replacing(
                    "main: { upstream", with: "main: { concurrency: \(round + 2), upstream")
            }
            #expect(isRead)
        }
        #expect(try await sender.value == [200: 600])
        try await test.delivered()
        let (profiles, requests) = try test.held()
        #expect(profiles.count == 600 && requests >= 600)
        #expect(
            try TestClient(address).post(hook, #"{"appsflyer_id":"1-7","customer_user_id":"user-7"}"#).text.contains(
                #""unchanged":1"#))
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
    }
}
