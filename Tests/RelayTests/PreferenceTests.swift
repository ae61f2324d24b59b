import Testing

@testable import Relay

@Suite("What a caller prefers")
struct PreferenceTests {
    @Test(
        "RFC 7240: wait=N within bounds, respond-async, and anything else ignored",
        arguments: [
            (nil, 5), ("wait=10", 10), ("wait=31", 30), ("wait=99999", 30), ("wait=0", nil), ("respond-async", nil),
            ("respond-async, wait=10", nil), ("wait=10;foo=bar", 10), ("handling=lenient, Wait=2", 2),
            ("wait=-1", 5), ("wait=", 5), ("wait=1e9", 5), ("wait=18446744073709551616", 5), (",,;=", 5),
        ] as [(String?, Int?)])
    func reads(value: String?, seconds: Int?) {
        let headers = Headers(value.map { [Field("Prefer", $0)] } ?? [])
        #expect(Preference(headers).wait == seconds.map { .seconds($0) })
    }
}

@Suite("Fields of a request")
struct HeadersTests {
    let headers = Headers([
        Field("Content-Type", "application/json; charset=utf-8"), Field("X-Two", "a"), Field("x-two", "b"),
    ])

    @Test("are found in any letter case, the first one first")
    func finds() {
        #expect(headers["x-two"] == "a")
        #expect(headers.occurrences(of: "x-two") == 2)
        #expect(headers.value(named: "X-TWO").map(Array.init) == Array("a".utf8))
        #expect(headers["x-three"] == nil)
    }

    @Test(
        "a request id is the caller's only if it is sane",
        arguments: [
            ("abc-1.2_3", true), ("", false), ("a b", false), ("a\"b", false), ("ü", false),
            (String(repeating: "x", count: 129), false), (String(repeating: "x", count: 128), true),
        ])
    func requestIDs(value: String, isTaken: Bool) {
        let request = Request(method: .get, path: "/", headers: Headers([Field("X-Request-Id", value)]))
        #expect(request.requestID == (isTaken ? value : request.id.description))
    }

    @Test("the content type is known without its parameters")
    func contentType() {
        #expect(Request(method: .post, path: "/", headers: headers).contentType == "application/json")
        #expect(Request(method: .post, path: "/").contentType == nil)
    }
}
