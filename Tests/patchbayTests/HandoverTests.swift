import Foundation
import Synchronization
import Testing

@Suite("The whole process: one node after another on one port", .timeLimit(.minutes(2)))
struct HandoverTests {
    @Test("a successor takes over port and outbox; nobody is refused, and nothing is lost")
    func takesOver() async throws {
        let test = try await RelayUnderTest(settings: "drain: { delay: 0s, timeout: 10s }")
        // The port that the kernel chose, for both.
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
            .replacing("listen: 127.0.0.1:0\nadmin", with: "listen: \(test.relay.address)\nadmin")
        let configuration = try test.directory.write(text, to: "successor.yaml")
        let (address, hook) = (test.relay.address, test.hook("appsflyer"))
        let listening = try listeners(at: address)
        let isOver = Mutex(false)
        let asking = Mutex(0)
        let sender = Task {
            try await TestClient.onThread {
                var accepted: [Int] = []
                var number = 0
                while !isOver.withLock({ $0 }) {
                    // A connection each: who is refused fails.
                    let body = #"{"appsflyer_id":"1-\#(number)","customer_user_id":"user-\#(number)"}"#
                    if try TestClient(address).post(hook, body).status == 200 { accepted.append(number) }
                    number += 1
                    asking.withLock { $0 = number }
                    usleep(3000)
                }
                return (accepted, number)
            }
        }
        async let successor = RelayUnderTest.startSuccessor(at: configuration)
        // It listens while it waits for the outbox. How long a start takes is the machine's affair.
        for _ in 0..<1500 {
            if try listeners(at: address) > listening { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        test.relay.send(SIGTERM)
        let status = try await test.relay.ended()
        #expect(status == 0, "\(status): \(test.relay.log.suffix(3000))")
        let next = try await successor
        let before = asking.withLock { $0 }
        for _ in 0..<500 where asking.withLock({ $0 }) <= before + 50 { try await Task.sleep(for: .milliseconds(20)) }
        isOver.withLock { $0 = true }
        let (accepted, asked) = try await sender.value
        #expect(accepted.count == asked && asked > 50)
        for _ in 0..<200 {
            let metrics = try TestClient(next.adminAddress).send("GET", "/metrics").text
            if metrics.contains(#"patchbay_profiles_waiting{app="main"} 0"#) { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try test.held().profiles.count == asked)
        next.send(SIGTERM)
        #expect(try await next.ended() == 0)
    }

    @Test("a second node with an outbox of its own does not start on a port in use", arguments: ["listen", "admin"])
    func portInUse(of listener: String) async throws {
        let test = try await RelayUnderTest()
        let taken = listener == "listen" ? test.relay.address : test.relay.adminAddress
        let text = try String(contentsOfFile: test.configuration, encoding: .utf8)
            .replacing("patchbay.db", with: "other.db")
            .replacing(
                listener == "listen" ? "listen: 127.0.0.1:0\nadmin" : "admin: { listen: 127.0.0.1:0 }",
                with: listener == "listen" ? "listen: \(taken)\nadmin" : "admin: { listen: \(taken) }")
        let configuration = try test.directory.write(text, to: "second.yaml")
        let (status, output, errors) = try RunningPatchbay.run(
            ["serve", "--config", configuration],
            environment: [
                "TOKEN": "a", "KEY": "secret_live_b", "CLIENT_KEY": "canary-client-key-77aa",
                "WRITER_KEY": "canary-writer-key-19bd",
            ])
        #expect(status == 1)
        #expect((output + errors).contains("bind \(taken): 98 Address already in use"), "\(output) \(errors)")
    }

    /// How many sockets listen at an address of the loopback, by the kernel's table.
    private func listeners(at address: String) throws -> Int {
        let port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
        let place = "0100007F:" + String(format: "%04X", port)
        // The table is longer than a page, and comes by pages; Foundation takes a short read for the end.
        let table = try #require(fopen("/proc/net/tcp", "r"))
        defer { fclose(table) }
        var count = 0
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), table) != nil {
            let columns = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: " "))
            if columns.count > 3, columns[1].elementsEqual(place.utf8), columns[3].elementsEqual("0A".utf8) {
                count += 1
            }
        }
        return count
    }

    @Test("without --take-over a second node says who has the outbox, and ends")
    func secondNode() async throws {
        let test = try await RelayUnderTest()
        let (status, _, error) = try RunningPatchbay.run(
            ["serve", "--config", test.configuration],
            environment: [
                "TOKEN": "t", "KEY": RelayUnderTest.secretKey, "CLIENT_KEY": "a-client-key-1",
                "WRITER_KEY": "a-client-key-2",
            ])
        #expect(status == 1 && error.contains("is held by process"))
    }
}
