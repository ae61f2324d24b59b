import Foundation
import Testing

@Suite("patchbay outbox", .serialized)
struct OutboxCommandTests {
    private static let token = "canary-admin-token-3f"

    private func outbox(_ relay: RelayUnderTest, _ arguments: String...) throws -> (
        status: Int32, output: String, errors: String
    ) {
        try RunningPatchbay.run(
            ["outbox"] + arguments + ["--config", relay.configuration]
                + (relay.relay.isRunning ? ["--admin", relay.relay.adminAddress] : []))
    }

    @Test("says what is undelivered and why, replays and discards, with a node and without one")
    func everyCommand() async throws {
        // Every profile is unknown, and one source's values are refused.
        let relay = try await RelayUnderTest(sandboxOptions: [])
        let client = try TestClient(relay.relay.address)
        for user in ["ann", "bob"] {
            let body =
                #"{"customer_user_id":"\#(user)","appsflyer_id":"1-\#(user)","event_time":"2026-01-01 00:00:00"}"#
            #expect(try client.post(relay.hook("appsflyer"), body).status == 200)
        }
        for _ in 0..<200 where try !outbox(relay, "list", "--state", "missing").output.hasPrefix("2 undelivered") {
            try await Task.sleep(for: .milliseconds(50))
        }
        let list = try outbox(relay)
        #expect(list.status == 0 && list.output.hasPrefix("2 undelivered, 0 dead letters.\n"), "\(list)")
        #expect(list.output.contains("profile_not_found") && !list.output.contains("ann"))
        #expect(try outbox(relay, "list", "--plain", "--json").output.contains(#""profile":"ann""#))
        let show = try outbox(relay, "show", "ann")
        #expect(show.output.contains("missing for") && show.output.contains("appsflyer_id  1-ann"), "\(show)")
        #expect(try outbox(relay, "show", "nobody").status == 1)

        #expect(try outbox(relay, "replay").status == 64)
        #expect(try outbox(relay, "replay", "--state", "dead", "--yes").status == 1)
        let replay = try outbox(relay, "replay", "--profile", "ann", "--yes")
        #expect(replay.status == 0 && replay.output.contains("replayed: "), "\(replay)")
        let copy = relay.directory.path + "/copy.db"
        #expect(try outbox(relay, "backup", copy).output.contains("bytes, whole."))
        #expect(try outbox(relay, "backup", copy).status == 1)

        relay.relay.send(SIGTERM)
        #expect(try await relay.relay.ended() == 0)
        let stopped = try outbox(relay)
        #expect(stopped.output.hasPrefix("2 undelivered") && stopped.errors.contains("No node has"), "\(stopped)")
        // Who looks, and who is asked whether it is meant, has not touched the lock: it names the node that is gone.
        let lock = relay.directory.path + "/patchbay.db.lock"
        let holder = try String(contentsOfFile: lock, encoding: .utf8)
        #expect(try outbox(relay, "show", "ann").status == 0)
        #expect(try outbox(relay, "replay").status == 64)
        #expect(try outbox(relay, "backup", copy + "2").status == 0)
        #expect(try String(contentsOfFile: lock, encoding: .utf8) == holder)
        #expect(try outbox(relay, "discard", "--yes").status == 64)
        let discard = try outbox(relay, "discard", "--profile", "bob", "--yes")
        #expect(discard.output == "discarded: 1.\n", "\(discard)")
        #expect(try String(contentsOfFile: lock, encoding: .utf8) != holder)
        #expect(try outbox(relay).output.hasPrefix("1 undelivered"))
        #expect(try outbox(relay, "show", "ann").output.contains("appsflyer_id  1-ann"))
        try await relay.startAgain()
        #expect(try outbox(relay).output.hasPrefix("1 undelivered"))
    }

    @Test("a node whose file is deleted under it accepts nothing more, says so, and exits 74")
    func deleted() async throws {
        let relay = try await RelayUnderTest(upstream: "127.0.0.1:1")
        #expect(unlink(relay.directory.path + "/patchbay.db") == 0)
        // Nothing comes, and it is noticed all the same.
        #expect(try await relay.relay.ended() == 74)
        #expect(relay.relay.log.contains("the outbox is broken: nothing more is accepted"))
        #expect(relay.relay.log.contains("patchbay.db was taken away while it was in use"))
    }

    @Test("a node whose file is damaged under it accepts nothing more, says so, and exits 74")
    func damaged() async throws {
        let relay = try await RelayUnderTest(upstream: "127.0.0.1:1")
        func post(_ user: String) throws -> Int {
            try TestClient(relay.relay.address).post(
                relay.hook("appsflyer"), #"{"customer_user_id":"\#(user)","appsflyer_id":"1"}"#
            ).status
        }
        #expect(try post("ann") == 200)
        relay.relay.send(SIGTERM)
        #expect(try await relay.relay.ended() == 0)
        try await relay.startAgain()
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: relay.directory.path + "/patchbay.db"))
        try file.seek(toOffset: 4096)
        try file.write(contentsOf: Data(repeating: 0xa5, count: 30 * 4096))
        try file.close()
        #expect(try post("bob") == 503)
        #expect(try await relay.relay.ended() == 74)
        #expect(relay.relay.log.contains("the outbox is broken: nothing more is accepted"))
    }
}
