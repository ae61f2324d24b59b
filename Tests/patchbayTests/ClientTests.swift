import Foundation
import Testing

@Suite("The whole process: client apps", .serialized)
struct ClientTests {
    private let authorization = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)"]
    private var forUser: [String: String] { authorization.merging(["adapty-customer-user-id": "u"]) { $1 } }

    @Test("the drop-in answers as Adapty does: 200 and a blank body, and the sandbox holds it")
    func dropIn() async throws {
        let test = try await RelayUnderTest()
        let client = try TestClient(test.relay.address)
        let answer = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b","adjust_device_id":null}"#, forUser)
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
        #expect(answer.headers["x-request-id"] != nil)
        #expect(try test.held().requests == 1)
    }

    @Test("a vendor's simplified payload is taken from an app, with the profile in the body")
    func simplified() async throws {
        let test = try await RelayUnderTest()
        let body = #"{"user_id":"amp-user","device_id":"amp-device","adapty_customer_user_id":"u"}"#
        let answer = try TestClient(test.relay.address).post("/client/amplitude", body, authorization)
        #expect(answer.status == 200)
        #expect(
            try test.held().profiles["u"] == ["amplitude_user_id": "amp-user", "amplitude_device_id": "amp-device"])
    }

    @Test("what the README shows for each vendor is taken as it stands, and arrives")
    func readme() async throws {
        let test = try await RelayUnderTest()
        let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(
            contentsOf: top.deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
        let client = try TestClient(test.relay.address)
        var vendors: Set<Substring> = []
        for line in readme.split(separator: "\n") where line.hasPrefix("    patch ") {
            let words = line.split(separator: " ", maxSplits: 2)
            let body = try #require(words.last).trimmingCharacters(in: CharacterSet(charactersIn: " '"))
            let answer = try client.post("/client/\(words[1])", body, forUser)
            #expect(answer.status == 200, "\(line): \(answer.text)")
            vendors.insert(words[1])
        }
        #expect(vendors.count == 13)
        #expect(try test.held().profiles["u"]?.count == 15)
    }

    @Test("a profile that does not exist is the caller's 404 at once, and nothing is kept")
    func missingProfile() async throws {
        let test = try await RelayUnderTest(sandboxOptions: [])
        let answer = try TestClient(test.relay.address).post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, forUser)
        #expect(answer.status == 404)
        #expect(answer.json?["error_code"] as? String == "profile_not_found")
        try await test.delivered(within: 5)
    }

    @Test("respond-async answers 202 with an id, and the patch arrives")
    func asynchronous() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "latency=300ms"])
        let headers = forUser.merging(["Prefer": "respond-async"]) { $1 }
        let answer = try TestClient(test.relay.address).post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers)
        #expect(answer.status == 202)
        #expect(answer.json?["id"] as? String != nil)
        #expect(answer.headers["preference-applied"] == "respond-async")
        try await test.delivered()
        #expect(try test.held().profiles["u"] == ["branch_id": "b"])
    }

    @Test("when the wait is over: 202, and the patch goes on")
    func waitIsOver() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "latency=3000ms"])
        let headers = forUser.merging(["Prefer": "wait=1"]) { $1 }
        let start = Date()
        let answer = try TestClient(test.relay.address).post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers)
        #expect(answer.status == 202)
        #expect(Date().timeIntervalSince(start) >= 0.9)
        try await test.delivered()
        #expect(try test.held().profiles["u"] == ["branch_id": "b"])
    }

    @Test("an upstream that is down answers a waiting client 202 in the end, for the patch is durable")
    func upstreamDown() async throws {
        let test = try await RelayUnderTest(sandboxOptions: ["--any-profile", "--fault", "503"])
        let headers = forUser.merging(["Prefer": "wait=1"]) { $1 }
        let answer = try TestClient(test.relay.address).post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, headers)
        #expect(answer.status == 202)
        #expect(try test.metric("patchbay_profiles_waiting") == 1)
    }
}
