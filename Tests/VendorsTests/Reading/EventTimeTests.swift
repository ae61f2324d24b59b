import Relay
import Testing

@testable import Vendors

@Suite("Event times")
struct EventTimeTests {
    private static func read(_ json: String) throws -> String? {
        let parser = JSONParser()
        return try Array(json.utf8).withUnsafeBufferPointer {
            EventTime.read(try parser.parse($0), received: Sample.received)?.description
        }
    }

    @Test(
        "are read in each way that vendors write them",
        arguments: [
            ("\"2022-02-28 20:07:01.795\"", "2022-02-28T20:07:01.795Z"),
            ("\"2026-10-14 08:21:43.117000\"", "2026-10-14T08:21:43.117Z"),
            ("\"2026-10-14 08:21:43\"", "2026-10-14T08:21:43.000Z"),
            ("\"2026-10-14T08:21:43.1Z\"", "2026-10-14T08:21:43.100Z"),
            ("\"2026-10-14t08:21:43z\"", "2026-10-14T08:21:43.000Z"),
            ("\"2026-10-14T09:21:43.117+01:00\"", "2026-10-14T08:21:43.117Z"),
            ("\"2026-10-14 09:21:43.117+0100\"", "2026-10-14T08:21:43.117Z"),
            ("\"2026-10-13T22:51:43-09:30\"", "2026-10-14T08:21:43.000Z"),
            ("\"2026-10-14 10:21:43 +02\"", "2026-10-14T08:21:43.000Z"),
            ("\"2026-10-14 08:21:43 UTC\"", "2026-10-14T08:21:43.000Z"),
            ("\" 2026-10-14T08:21:43Z \"", "2026-10-14T08:21:43.000Z"),
            ("\"1791966103\"", "2026-10-14T08:21:43.000Z"), ("1791966103", "2026-10-14T08:21:43.000Z"),
            ("1791966103.117", "2026-10-14T08:21:43.117Z"), ("\"1791966103.5\"", "2026-10-14T08:21:43.500Z"),
            ("1791966103117", "2026-10-14T08:21:43.117Z"), ("1791966103117000", "2026-10-14T08:21:43.117Z"),
            ("1791966103117000000", "2026-10-14T08:21:43.117Z"),
            ("\"2024-02-29 00:00:00\"", "2024-02-29T00:00:00.000Z"),
        ])
    func reads(_ json: String, _ expected: String) throws {
        #expect(try Self.read(json) == expected)
    }

    @Test(
        "are nothing where they are none, or cannot be true",
        arguments: [
            "\"\"", "null", "true", "{}", "[]", "\"now\"", "0", "-1791966103", "1e9", "\"1791966103x\"",
            "\"{event_time}\"",
            "12345678901234567890", "99999999999999999999999999", "\"2026-13-01 00:00:00\"", "\"2026-02-29 00:00:00\"",
            "\"2026-10-14 24:00:00\"", "\"2026-10-14 08:61:00\"", "\"2026-10-14\"", "\"2026-10-14 08:21\"",
            "\"14.10.2026 08:21:43\"",
            "\"2026-10-14T08:21:43+1\"", "\"2026-10-14T08:21:43+25:00\"", "\"2026-10-14T08:21:43+01:75\"",
            "\"2026-10-14T08:21:43.Z\"", "\"2026-10-14T08:21:43 CET\"", "\"2026-10-14T08:21:43+01:0é\"",
            // Before there was anybody to send it; 2027 and later, seen from 2026.
            "\"1970-01-01 00:00:00\"", "\"2009-12-31 23:59:59\"", "1262303999", "\"2027-01-01 00:00:00\"", "1830000000",
            "\"9999-12-31 23:59:59\"", "\"1791966103.\"", "\"1791966103.1x\"",
        ])
    func refuses(_ json: String) throws {
        #expect(try Self.read(json) == nil)
    }

    @Test("may be a little ahead of our clock, not more")
    func future() throws {
        let ahead = { (seconds: Int64) in String(Sample.received.milliseconds / 1000 + seconds) }
        #expect(try Self.read(ahead(299)) != nil)
        #expect(try Self.read(ahead(301)) == nil)
    }
}
