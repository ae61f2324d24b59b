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

    @Test("of schema 2 many dead letters become one for each profile and field, and soon")
    func deadLetters() async throws {
        let path = scratch.path + "/old.db"
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "2 times")
        try await queue.write { db in
            for number in 0..<20_000 {
                let (user, died) = ("u\(number / 4)", noon.milliseconds + Int64(number))
                try db.execute(
                    sql: """
                        INSERT INTO dead_letter VALUES (?, 'main', 'customer_user_id', ?, 'o',
                            '{"branch_id":"b\(number % 4)","appsflyer_id":null}', '{"branch_id":5}', 7, 3, 1, ?, 400, 'c', 'm')
                        """, arguments: [UniqueID(high: 1, low: UInt64(number)).description, user, died])
            }
        }
        try queue.close()
        let start = ContinuousClock.now
        let outbox = try SQLiteOutbox(path: path, settings: .atNoon) { _ in }
        // Before, 4,000 took six seconds, and four times as many sixteen times as long.
        #expect(.now - start < .seconds(30))
        #expect(await outbox.census().map(\.deadLetters) == [10_000])
        await outbox.close()
        let rows = try query(
            path,
            """
            SELECT field || ' ' || field_value || ' ' || at || ' ' || count || ' ' || first_at || ' ' || died_at FROM (SELECT field, coalesce(field_value, 'null') AS field_value, at,
                count, first_at - \(noon.milliseconds) AS first_at, died_at - \(noon.milliseconds) AS died_at
                FROM dead_letter WHERE value = 'u1' ORDER BY field)
            """, as: String.self)
        #expect(rows == ["appsflyer_id null 7 4 4 7", "branch_id b3 5 4 4 7"])
    }
}
