import GRDB
import Relay
import Testing

@testable import SQLiteOutbox

@Suite("A file of an earlier Patchbay")
struct MigrationTests {
    private let scratch = Scratch()

    @Test("is taken over from schema 1: what waits, what failed, and what the log says")
    func fromFirst() async throws {
        let path = scratch.path + "/old.db"
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "1 outbox")
        let key = ProfileRow.key(of: user("ann"), in: "main")
        try await queue.write { db in
            let waiting = #"{"appsflyer_id":{"value":"1","at":1791979200000,"sequence":1}}"#
            try db.execute(
                sql: """
                    INSERT INTO profile VALUES (1, \(key), 'main', 'customer_user_id', 'ann', 'waiting', '\(waiting)', NULL,
                        'o', \(noon.milliseconds), \(noon.milliseconds), 2, 503, 'unavailable', 'try later', 1,
                        \(noon.milliseconds + 5000));
                    INSERT INTO accepted VALUES (2, 'main', 'customer_user_id', 'bob', '{"branch_id":"2"}',
                        \(noon.milliseconds), \(noon.milliseconds), 'o', '-');
                    """)
        }
        try queue.close()
        let clock = HandClock()
        clock.advance(by: .seconds(5))
        let outbox = try SQLiteOutbox(path: path, settings: clock.settings) { _ in }
        let deliveries = await outbox.claim(9, of: "main", at: noon).deliveries
            .sorted { $0.profile.value < $1.profile.value }
        #expect(deliveries.map(\.profile) == [user("ann"), user("bob")])
        #expect(deliveries.map(\.attempts) == [2, 0])
        // Without the time of its first failure it counts from the last, and not from when it came.
        #expect(deliveries.map(\.failingSince) == [noon + .seconds(5), nil])
        await outbox.close()
        #expect(try query(path, "PRAGMA user_version", as: Int.self) == [3])
    }
}
