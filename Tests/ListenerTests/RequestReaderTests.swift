import Relay
import Testing

@testable import Listener

@Suite("The request reader")
struct RequestReaderTests {
    // MARK: What is taken

    @Test("a request is handed out whole: method, path, query, fields and body")
    func whole() throws {
        let (head, body) = try request(
            "PUT /hooks/a%20b?x=1&y=%7B HTTP/1.1\r\nHost: a\r\nX-Two:  b c \t\r\ncontent-length: 3\r\n\r\n{1}")
        #expect(head.method == .put)
        #expect(head.path == "/hooks/a%20b")
        #expect(head.query == "x=1&y=%7B")
        #expect(head.headers["x-two"] == "b c")
        #expect(head.headers.count == 3)
        #expect(body == Array("{1}".utf8))
        #expect(head.isPersistent)
    }

    @Test("every method that there is a word for is read as that", arguments: Method.allCases)
    func methods(_ method: Method) throws {
        let (head, _) = try request("\(method) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.method == method)
    }

    @Test("pipelined requests come out one by one, in order")
    func pipelined() throws {
        var reader = RequestReader(limits: RequestLimits())
        reader.append((0..<50).map { "POST /\($0) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" }.joined())
        for index in 0..<50 {
            let (head, _) = try #require(reader.next().request)
            #expect(head.path == "/\(index)")
        }
        #expect(reader.next().needsMore)
        #expect(reader.stage == .idle)
        #expect(reader.heldBytes == 0)
    }

    @Test(
        "a connection persists as version and Connection say",
        arguments: [
            ("1.1", "", true), ("1.1", "close", false), ("1.1", "Keep-Alive, CLOSE", false),
            ("1.1", "closed", true), ("1.0", "", false), ("1.0", "keep-alive", true),
            ("1.0", "x, Keep-Alive ,", true), ("1.0", "keep-alive, close", false),
        ])
    func persistence(_ version: String, _ connection: String, _ expected: Bool) throws {
        let (head, _) = try request("GET / HTTP/\(version)\r\nHost: a\r\nConnection: \(connection)\r\n\r\n")
        #expect(head.isPersistent == expected)
    }

    @Test(
        "a target that is one is taken, and split at the first question mark",
        arguments: [
            ("/", "/", ""), ("/a?b?c", "/a", "b?c"), ("/a?", "/a", ""), ("//a", "//a", ""),
            ("/...", "/...", ""), ("/.a/b.", "/.a/b.", ""), ("/a?/../b", "/a", "/../b"), ("/a?\\", "/a", "\\"),
            ("/a?{idfa}", "/a", "{idfa}"), ("http://h:80/a?b", "/a", "b"), ("HTTPS://[::1]:8/a", "/a", ""),
        ])
    func targets(_ target: String, _ path: String, _ query: String) throws {
        let (head, _) = try request("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.path == path)
        #expect(head.query == query)
    }

    @Test("what is there to wait for a 100 is asked about once, and then read")
    func expectation() throws {
        var reader = RequestReader(limits: RequestLimits())
        reader.append("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
        let head = try #require(reader.next().expectation)
        #expect(head.path == "/a")
        #expect(reader.stage == .body)
        #expect(reader.next().needsMore)
        reader.append("x")
        #expect(reader.next().request != nil)
    }

    @Test("a sender that did not wait for a 100 is not told to go on")
    func expectationNotAwaited() throws {
        let (_, body) = try request(
            "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx")
        #expect(body == [UInt8(ascii: "x")])
    }

    // MARK: What is refused

    @Test(
        "a request line is method, target and version, and nothing else",
        arguments: [
            ("GET / HTTP/1.2", 505), ("GET / HTTP/2.0", 505), ("GET / HTTP/0.9", 505), ("GET / HTTP/1.10", 400),
            ("GET / http/1.1", 400), ("GET  HTTP/1.1", 400), ("GET / HTTP/1.1 ", 400), (" GET / HTTP/1.1", 400),
            ("GET /", 400), ("GET", 400), ("G(T / HTTP/1.1", 400), ("BREW / HTTP/1.1", 501), ("get / HTTP/1.1", 501),
            ("GET / /a HTTP/1.1", 400), ("GET\t/ HTTP/1.1", 400),
        ])
    func requestLines(_ line: String, _ status: Int) {
        #expect(refusal("\(line)\r\nHost: a\r\n\r\n")?.status == status)
    }

    @Test(
        "a target that may name another resource to the next hop is refused",
        arguments: [
            "*", "a", "?", "/a#b", "/a?b#c", "/a\\b", "/a%00", "/a?b=%00", "/a/./b", "/a/..", "/a/.%2E/b", "/%2e",
            "/a\u{1}", "/a\u{7f}", "http://u@h/a", "http:///a", "http://h:123456/a", "http://h:a/a", "http://h",
            "ftp://h/a", "http://[/a", "http://[g]/a",
        ])
    func badTargets(_ target: String) {
        #expect(refusal("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 400)
    }

    @Test(
        "a Host that is none is refused",
        arguments: ["", "a b", "a:b", "[::1", "[]", "a@b", "a/b", "a,b:c", "a:123456"])
    func badHosts(_ host: String) {
        #expect(refusal("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")?.status == 400)
    }

    @Test(
        "fields that decide where a request ends are taken in one form only",
        arguments: [
            ("Content-Length: 0x1", 400), ("Content-Length: ", 400), ("Content-Length: 1, 1", 400),
            ("Content-Length: 0000000000000001", 400), ("Content-Length: 1\r\nContent-Length: 1", 400),
            ("Content-Length: 4194305", 413), ("Content-Length: 999999999999999", 413),
            ("Transfer-Encoding: chunked, chunked", 400), ("Transfer-Encoding: gzip", 400),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1", 400),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked", 400), ("Content-Length : 1", 400),
            ("Expect: 200-ok", 417), ("Content-Encoding: br\r\nContent-Length: 1", 415),
            ("Content-Encoding: gzip, gzip\r\nContent-Length: 1", 415), (" folded: 1", 400), (": nameless", 400),
            ("colonless", 400), ("A: b\u{0}c", 400), ("A: b\rc", 400), ("A: b\u{7f}", 400),
        ])
    func framing(_ field: String, _ status: Int) {
        #expect(refusal("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\nx")?.status == status)
    }

    @Test("a method that has no body is refused with one", arguments: ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])
    func bodyless(_ method: String) {
        #expect(refusal("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")?.status == 400)
        #expect(refusal("\(method) / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")?.status == 400)
        #expect(refusal("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == nil)
    }

    @Test("limits hold exactly: what just fits is taken, one more is refused", arguments: Limit.allCases)
    func limits(_ limit: Limit) {
        #expect(refusal(limit.request(exceededBy: 0)) == nil)
        #expect(refusal(limit.request(exceededBy: 1))?.status == limit.status)
    }

    enum Limit: CaseIterable {
        case target, head, fields, body, chunk, chunkSizeDigits, chunkExtensions, trailers

        var status: Int {
            switch self {
            case .target: 414
            case .head, .fields, .trailers: 431
            case .body, .chunk: 413
            case .chunkSizeDigits, .chunkExtensions: 400
            }
        }

        func request(exceededBy excess: Int) -> String {
            func filler(_ count: Int, _ text: String = "a") -> String { String(repeating: text, count: count + excess) }
            let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            switch self {
            case .target: return "GET /\(filler(32_767)) HTTP/1.1\r\nHost: a\r\n\r\n"
            case .head: return "GET / HTTP/1.1\r\nHost: a\r\nA: \(filler(49_120))\r\n\r\n"
            case .fields: return "GET / HTTP/1.1\r\nHost: a\r\n\(filler(99, "A: a\r\n"))\r\n"
            case .body:
                return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(4_194_304 + excess)\r\n\r\n\(filler(4_194_304))"
            case .chunk:
                return "\(chunked)\(String(4_194_304 + excess, radix: 16))\r\n\(filler(4_194_304))\r\n0\r\n\r\n"
            case .chunkSizeDigits: return "\(chunked)\(filler(7, "0"))1\r\na\r\n0\r\n\r\n"
            case .chunkExtensions: return "\(chunked)1;\(filler(255))\r\na\r\n0\r\n\r\n"
            case .trailers: return "\(chunked)0\r\nT: \(filler(4091))\r\n\r\n"
            }
        }
    }

    @Test("a line without an end is refused at its limit, not kept until a deadline")
    func endless() {
        for (text, status) in [
            ("GET /", 414), ("GET / HTTP/1.1\r\nA: ", 431),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", 431),
        ] {
            var reader = RequestReader(limits: RequestLimits())
            reader.append(text)
            var fed = 0
            feeding: while fed < 100_000 {
                switch reader.next() {
                case .failure(let failure):
                    #expect(failure.refusal.status == status)
                    break feeding
                default:
                    reader.append(String(repeating: "a", count: 100))
                    fed += 100
                }
            }
            #expect(fed < 60_000)
            #expect(reader.heldBytes == 0)
        }
    }

    @Test("after a failure that closes nothing more is made of the bytes")
    func nothingAfterFailure() throws {
        var reader = RequestReader(limits: RequestLimits())
        reader.append("GET / HTTP/3.0\r\n\r\n")
        let failure = try #require(reader.next().failure)
        #expect(failure.closes)
        reader.append("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(reader.next().needsMore)
    }

    @Test("a refusal of HEAD knows that it is one, so that its answer has no body")
    func headKnown() throws {
        let failure = try #require(step("HEAD / HTTP/1.1\r\nbad field\r\n\r\n").failure)
        #expect(failure.method == .head)
    }

    @Test("a refusal made after the fields keeps them, for the caller's request id")
    func fieldsKept() throws {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\nContent-Length: 9999999\r\n\r\n"
        let failure = try #require(step(text).failure)
        #expect(failure.head?.headers["x-request-id"] == "mine")
    }

    @Test("one empty line may stand before a request, two may not")
    func emptyLines() {
        #expect(refusal("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        #expect(refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 400)
    }

    @Test("trailers are dropped: they never become fields")
    func trailers() throws {
        let (head, body) = try request(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n"
        )
        #expect(body == Array("abc".utf8))
        #expect(head.headers["x-t"] == nil)
    }

    // MARK: What a refusal still knows

    @Test("a refused request still says where it went, as far as its target was read")
    func refusedHeads() throws {
        func failure(_ text: String) throws -> RequestReader.Failure { try #require(step(text).failure) }
        let start = "POST /hooks/x?a=b HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\r\n"
        for (rest, isWhole) in [
            ("Expect: foo\r\nA: b\r\n\r\n", true), ("Content-Length: 9999999\r\nA: b\r\n\r\n", true),
            ("A : b\r\n", false), ("A: b\nC: d\r\n\r\n", false), ("A: " + String(repeating: "a", count: 50_000), false),
        ] {
            let failure = try failure(start + rest)
            #expect(failure.closes)
            #expect(failure.isHeadWhole == isWhole)
            #expect((failure.head?.path, failure.head?.query) == ("/hooks/x", "a=b"))
            #expect(failure.head?.headers["x-api-key"] == "k")
            #expect((failure.head?.headers["a"] != nil) == isWhole)
        }
        let long = String(repeating: "a", count: 40_000)
        let target = try failure("POST /hooks/x?a=\(long) HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\r\n\r\n")
        #expect((target.refusal.status, target.isHeadWhole, target.head?.path) == (414, true, "/hooks/x"))
        #expect(target.head?.headers["x-api-key"] == "k")
        // Cut within a parameter, which may be the credential: only whole ones are shown.
        let endless = try failure("POST /hooks/x?a=b&token=k&c=\(long)\(long)")
        #expect((endless.refusal.status, endless.isHeadWhole) == (414, false))
        #expect((endless.head?.path, endless.head?.query) == ("/hooks/x", "a=b&token=k&"))
        for text in ["POST /a#b HTTP/1.1\r\n", "BREW /a HTTP/1.1\r\n", "POST /\(long)\(long)", "\u{16}\u{3}\u{1}\r\n"] {
            #expect(try failure(text).head == nil)
        }
    }

    @Test("a path that takes no long bodies has its own limit: sized, in chunks and decompressed")
    func bodyLimits() {
        var limits = RequestLimits()
        (limits.bodyBytes, limits.shortBodyBytes) = (1000, 100)
        limits.takesLongBodies = { $0 == "/long" }
        func status(_ path: String, _ count: Int, isChunked: Bool) -> Int? {
            var reader = RequestReader(limits: limits)
            let body = String(repeating: "a", count: count)
            let head = "POST \(path) HTTP/1.1\r\nHost: a\r\n"
            reader.append(
                isChunked
                    ? "\(head)Transfer-Encoding: chunked\r\n\r\n\(String(count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                    : "\(head)Content-Length: \(count)\r\n\r\n\(body)")
            return reader.next().failure?.refusal.status
        }
        for isChunked in [false, true] {
            #expect(status("/long", 1000, isChunked: isChunked) == nil)
            #expect(status("/long", 1001, isChunked: isChunked) == 413)
            #expect(status("/short", 100, isChunked: isChunked) == nil)
            #expect(status("/short", 101, isChunked: isChunked) == 413)
        }
    }

    // MARK: Byte classes

    @Test("the byte classes are what the RFCs list")
    func byteClasses() {
        for byte in UInt8.min...UInt8.max {
            #expect(
                ByteClass.token.contains(byte) == (byte.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains(byte)))
            #expect(
                ByteClass.hostName.contains(byte) == (byte.isLetterOrDigit || "-._~!$&'()*+,;=".utf8.contains(byte)))
        }
    }

    // MARK: Shorthand

    private func step(_ text: String) -> RequestReader.Step {
        var reader = RequestReader(limits: RequestLimits())
        reader.append(text)
        return reader.next()
    }

    private func request(_ text: String) throws -> (RequestHead, [UInt8]) {
        try #require(step(text).request)
    }

    private func refusal(_ text: String) -> Refusal? {
        step(text).failure?.refusal
    }
}

extension RequestReader {
    mutating func append(_ text: String) {
        Array(text.utf8).withUnsafeBytes { append($0) }
    }
}

extension RequestReader.Step {
    var needsMore: Bool {
        if case .needMore = self { true } else { false }
    }

    var expectation: RequestHead? {
        if case .expectation(let head) = self { head } else { nil }
    }

    var request: (RequestHead, [UInt8])? {
        if case .request(let head, let body, _) = self { (head, body) } else { nil }
    }

    var failure: RequestReader.Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
