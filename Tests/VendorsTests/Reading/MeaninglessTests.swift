import Testing

@testable import Vendors

@Suite("Values that mean nothing")
struct MeaninglessTests {
    private static func covers(_ list: Meaningless, _ text: String) -> Bool {
        Array(text.utf8).withUnsafeBufferPointer { list.covers($0) }
    }

    @Test(
        "are known in any case, and within quotes",
        arguments: [
            "", "null", "NULL", "Nil", "none", "None", "N/A", "na", "undefined", "Unknown", "ANONYMOUS", "NaN",
            "[object Object]", "0", "-1", "{}", "00000000-0000-0000-0000-000000000000",
            "00000000000000000000000000000000",
            "\"null\"", "'undefined'", "\"\"", "''", "\" \"", "(null)", "<null>",
        ])
    func words(_ text: String) {
        #expect(Self.covers(.usual, text))
    }

    @Test(
        "are macros that nobody expanded, as they were written or percent-encoded",
        arguments: [
            "{adid}", "{appmetrica_device_id}", "{{analytics_installation_id}}", "{{ event.id }}",
            "{@postback.eventName}",
            "${user_id}", "${(user_data.developer_identity)!}", "[user_id]", "__ADID__", "%ADID%", "%%ADID%%", "<adid>",
            "{idfa||gps_adid}", "prefix-{{id}}", "{% if x %}", "#{id}", "%7Bprofile_id%7D", "%7bprofile_id%7d",
            "%7B%7Bid%7D%7D", "%257Badid%257D", "%5Buser_id%5D", "%3Cadid%3E", "$%7Bid%7D", "{\"a\":{}}", "[]",
        ])
    func macros(_ text: String) {
        #expect(Self.covers(.usual, text))
        #expect(Self.covers(.nothing, text))
    }

    @Test(
        "are not ids that only look a little like them",
        arguments: [
            "usr_48213", "00", "-10", "nobody", "nul", "nulls", "1791840012345-4417802", "anonymous1", "a{b", "a}b",
            "{", "}",
            "_x_", "____", "100%", "50%25 off", "%41", "a%7Eb", "$5", "user@example.com", "жанна", "'", "\"", "'a",
            "a'",
            "00000000-0000-0000-0000-000000000001", "id", "true", "XZ3C70F1A9-5B2E-4D88-96A4-0E1F7B3C2D55", "__a",
        ])
    func ids(_ text: String) {
        #expect(!Self.covers(.usual, text))
    }

    @Test("can be more with one vendor, and fewer for one customer")
    func lists() {
        #expect(!Self.covers(.usual, "guest"))
        #expect(Self.covers(.usual.and(["Guest"]), "GUEST"))
        #expect(!Self.covers(.usual.except(["0"]), "0"))
        #expect(Self.covers(.usual.except(["0"]), "-1"))
        // Emptiness and macros are nobody's id.
        #expect(Self.covers(.usual.except(["", "{id}"]), ""))
        #expect(Self.covers(.usual.except(["", "{id}"]), "{id}"))
    }
}
