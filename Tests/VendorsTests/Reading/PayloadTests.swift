import Relay
import Testing

@testable import Vendors

@Suite("Payloads")
struct PayloadTests {
    private let catalog: VendorCatalog

    init() throws {
        catalog = try VendorCatalog()
    }

    private static let event = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#
    private static let form = "appsflyer_id=1-2&customer_user_id=u"
    private static let patch = #"customer_user_id u {"appsflyer_id":"1-2"}"#

    @Test(
        "are read by how they begin, whatever their content type says",
        arguments: [
            ("application/json", event), ("Application/JSON; charset=utf-8", event), ("text/json", event),
            ("application/vnd.api+json", event), ("application/cloudevents+JSON", event), (nil, event), ("", event),
            ("text/plain", event), ("text/plain;charset=UTF-8", " \n" + event), (nil, "\u{FEFF}" + event), (nil, form),
            ("text/plain", form), ("application/x-www-form-urlencoded", form),
            ("application/x-www-form-urlencoded; charset=utf-8", form + "\n"), ("application/x-ndjson", event),
            ("application/x-ndjson", "\n\r\n" + event + "\r\n\n"), ("application/jsonl", event + "\n"),
            ("application/json", "[\(event)]"), (nil, "[\(event)]"), ("application/octet-stream", event),
            ("application/octet-stream", form), ("text/xml", event), ("application/json", form),
            ("multipart/form-data; boundary=x", event), ("application/x-www-form-urlencoded", "\u{FEFF}" + event),
            ("application/x-www-form-urlencoded", "\u{FEFF}" + form), (nil, " \u{FEFF}\u{FEFF}" + form),
            ("application/x-ndjson", "{\"customer_user_id\":\n\"u\",\"appsflyer_id\":\"1-2\"}"),
            ("image/png", "[\(event)]"),
        ] as [(String?, String)])
    func contentTypes(_ type: String?, _ body: String) throws {
        #expect(try catalog.hook("appsflyer", body, type: type).summary == [Self.patch])
    }

    @Test(
        "that look like nothing that is read here are refused with 415, where their type is another too",
        arguments: [
            ("text/xml", #"<?xml version="1.0"?><a appsflyer_id="1"/>"#), ("text/html", "<p class=x>"),
            (
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=\"appsflyer_id\"\r\n\r\n1-2\r\n--x--\r\n"
            ),
            ("application/octet-stream", "\u{1}\u{2}"), ("image/svg+json", "hello"),
        ])
    func unsupported(_ type: String, _ body: String) {
        #expect(throws: Refusal.unsupportedMediaType) { try catalog.hook("appsflyer", body, type: type) }
    }

    @Test(
        "that are not what they say are refused with a sentence that helps",
        arguments: [
            (
                "application/json", "{\"a\":{\"b\"}}",
                "The body is not valid JSON: a comma, colon, bracket or value is missing or one too many (near byte 9)."
            ),
            (
                "application/json", event + event,
                "The body is not valid JSON: something follows behind its end (near byte 45)."
            ),
            ("application/json", "{\"a\":\"b", "The body is not valid JSON: a string is not closed."),
            (
                "application/x-ndjson", "1 2\n{\"a\":\n",
                "Line 1 of the body is not valid JSON: something follows behind its end (near byte 2)."
            ),
            (
                nil, "hello",
                "The body is not valid JSON: something is neither a string, a number, true, false nor null."
            ),
            (nil, "{", "The body is not valid JSON: it ends before an object or array does (near byte 1)."),
        ] as [(String?, String, String)])
    func malformed(_ type: String?, _ body: String, _ words: String) {
        #expect(throws: Refusal.malformedBody(words)) { try catalog.hook("appsflyer", body, type: type) }
    }

    @Test("that are nothing at all are refused", arguments: ["", " \r\n"])
    func nothing(_ body: String) {
        let refusal = Refusal.malformedBody("There is no payload.")
        #expect(throws: refusal) { try catalog.hook("appsflyer", body, type: nil) }
        #expect(throws: refusal) { try catalog.hook("appsflyer", query: "") }
        #expect(throws: refusal) { try catalog.hook("appsflyer", query: "&&") }
    }

    @Test(
        "whose parameters are all empty are payloads: their sender must not try again for a day",
        arguments: ["appsflyer_id=", "x", "a=&b="])
    func emptyParameters(_ query: String) throws {
        #expect(try catalog.hook("appsflyer", query: query).summary == ["no_identifier"])
        #expect(
            try catalog.hook("appsflyer", query, type: "application/x-www-form-urlencoded").summary == ["no_identifier"]
        )
    }

    @Test("of lines or arrays are several events, each with its place in what is skipped")
    func batches() throws {
        let lines = try catalog.hook(
            "appsflyer", "\(Self.event)\n\n{}\n[\(Self.event),5]\n", type: "application/x-ndjson")
        #expect(lines.summary == [Self.patch, Self.patch, "no_identifier", "not_an_object"])
        #expect(lines.skips.map(\.detail) == ["line 3: no appsflyer_id", "line 4 /1: an event must be an object"])
        let sniffed = try catalog.hook("appsflyer", "\(Self.event)\n\(Self.event)\n", type: nil)
        #expect(sniffed.summary == [Self.patch, Self.patch])
        let array = try catalog.hook("appsflyer", "[\(Self.event),[],\(Self.event)]")
        #expect(array.summary == [Self.patch, Self.patch, "not_an_object"])
        #expect(try catalog.hook("appsflyer", "[]").summary == ["empty"])
        let cohort = try catalog.hook("amplitude", #"[{"users":[{"user_id":"a1"},{}]}]"#)
        #expect(cohort.skips.map(\.detail) == ["/0/users/1: no amplitude_device_id, amplitude_user_id"])
    }

    @Test("that are no object come to nothing, and are no error", arguments: ["5", "\"x\"", "null", "true"])
    func scalars(_ body: String) throws {
        #expect(try catalog.hook("appsflyer", body).summary == ["not_an_object"])
    }

    @Test("of one event are completed by the query, whose word counts less")
    func bodyAndQuery() throws {
        func read(_ body: String, _ query: String) throws -> [String] {
            try catalog.hook("appsflyer", Sample.request(body, type: "application/json", query: query)).summary
        }
        #expect(try read(#"{"appsflyer_id":"1-2"}"#, "customer_user_id=u") == [Self.patch])
        #expect(
            try read(#"{"appsflyer_id":"1-2","customer_user_id":"u"}"#, "customer_user_id=v&appsflyer_id=9-9") == [
                Self.patch
            ])
        #expect(try read(#"{"appsflyer_id":"None","customer_user_id":null}"#, Self.form) == [Self.patch])
        #expect(try read("{}", Self.form) == [Self.patch])
        // Beside several it would say the same of everybody.
        #expect(try read(#"[{"appsflyer_id":"1-2"}]"#, "customer_user_id=u") == ["no_profile"])
    }

    @Test("of several events leave the query out, in a vendor's batch as well")
    func batchAndQuery() throws {
        let request = Sample.request(
            #"{"users":[{"user_id":"unknown"}]}"#, type: "application/json", query: "user_id=u_1")
        #expect(try catalog.hook("amplitude", request).summary == ["no_identifier"])
    }

    @Test("hold at most 10,000 events")
    func most() throws {
        func body(_ count: Int) -> String { "[" + Array(repeating: "{}", count: count).joined(separator: ",") + "]" }
        #expect(try catalog.hook("appsflyer", body(10_000)).skips.count == 10_000)
        #expect(
            performing: { try catalog.hook("appsflyer", body(10_001)) }, throws: { ($0 as? Refusal)?.status == 413 })
        let lines = Array(repeating: "5", count: 10_001).joined(separator: "\n")
        #expect(
            performing: { try catalog.hook("appsflyer", lines, type: "application/x-ndjson") },
            throws: { ($0 as? Refusal)?.code == "too_many_events" })
    }

    @Test("with a word of ours within are not Pub/Sub pushes")
    func noPush() throws {
        let body = #"{"message":{"data":"not base64"},"appsflyer_id":"1-2","customer_user_id":"u"}"#
        #expect(try catalog.hook("appsflyer", body).summary == [Self.patch])
    }

    @Test("in a Pub/Sub push can be batches")
    func pushedBatch() throws {
        // [{"appsflyer_id":"1-2","customer_user_id":"u"}]
        let data = "W3siYXBwc2ZseWVyX2lkIjoiMS0yIiwiY3VzdG9tZXJfdXNlcl9pZCI6InUifV0"
        #expect(
            try catalog.hook("appsflyer", #"{"message":{"data":"\#(data)","message_id":"1"}}"#).summary == [Self.patch])
    }

    @Test("of a vendor that nobody knows are not found")
    func unknownVendor() {
        #expect(throws: Refusal.notFound) { try catalog.hook("acme", Self.event) }
        #expect(!catalog.knows(vendor: "acme"))
        #expect(catalog.vendorNames.count == 13)
    }

    @Test("are read by many threads at once, each as if it were alone")
    func concurrency() async throws {
        let names = FixtureTests.names
        let catalog = catalog
        let expected = try names.map { try catalog.hook(String($0.prefix { $0 != "-" }), Sample.request(fixture: $0)) }
        let results = try await withThrowingTaskGroup(of: (Int, Normalization).self) { group in
            for turn in 0..<(names.count * 20) {
                group.addTask { @concurrent in
                    let place = turn % names.count
                    let vendor = String(names[place].prefix { $0 != "-" })
                    return (place, try catalog.hook(vendor, Sample.request(fixture: names[place])))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (place, result) in results { #expect(result == expected[place]) }
    }
}
