import Relay
import Testing

@testable import AdaptyAPI

@Suite("An upstream in trouble")
struct TroubleTests {
    struct Trouble: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: String
        let steps: [TestUpstream.Step]
    }

    @Test(
        "no whole answer is a failure to try again, under its name",
        arguments: [
            Trouble(testDescription: "closes", code: "connection_lost", steps: [.close]),
            Trouble(testDescription: "resets", code: "connection_lost", steps: [.reset]),
            Trouble(
                testDescription: "breaks off in the head", code: "connection_lost",
                steps: [.send("HTTP/1.1 20"), .reset]),
            Trouble(
                testDescription: "breaks off in the body", code: "connection_lost",
                steps: [.send("HTTP/1.1 400 x\r\nContent-Length: 99\r\n\r\n{\"errors\""), .close]),
            Trouble(
                testDescription: "talks garbage", code: "bad_answer", steps: [.send("%%%% what?\r\n\r\n"), .close]),
            Trouble(
                testDescription: "sends zeros", code: "bad_answer",
                steps: [.sendBytes(.init(repeating: 0, count: 9999)), .close]),
            Trouble(testDescription: "never answers", code: "timeout", steps: [.hold]),
            Trouble(
                testDescription: "never ends its head", code: "timeout",
                steps: [.send("HTTP/1.1 200 x\r\n")]
                    + Array(repeating: [.pause(milliseconds: 50), .send("A: b\r\n")], count: 40).flatMap { $0 }),
            Trouble(
                testDescription: "drips", code: "timeout",
                steps: [.send("HTTP/1.1 200 x\r\nContent-Length: 999\r\n\r\n")]
                    + Array(repeating: [.pause(milliseconds: 50), .send("x")], count: 40).flatMap { $0 }),
        ])
    func noWholeAnswer(trouble: Trouble) async throws {
        try await withAPI(settings: { $0.timeout = .milliseconds(300) }, { _ in trouble.steps }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.name == "failed")
            #expect(attempt.outcome.failure?.code == trouble.code, "\(attempt)")
            #expect(attempt.outcome.failure?.status == nil)
            #expect(attempt.answer == nil)
        }
    }

    @Test("a deadline ends one request and leaves the next alone")
    func deadlineThenService() async throws {
        try await withAPI(
            settings: { $0.timeout = .milliseconds(100) }, { $0.number == 0 ? [.hold] : [http(200)] }
        ) { api, _ in
            let slow = await api.set()
            #expect(slow.outcome.failure?.code == "timeout")
            #expect(slow.duration >= .milliseconds(99))
            #expect(await api.set().outcome == .applied)
        }
    }

    @Test("the loop's own deadline ends what libcurl would wait for without end")
    func ownDeadline() async throws {
        let upstream = try TestUpstream { $0.number == 0 ? [.hold] : [http(200)] }
        defer { upstream.stop() }
        var options = try TransferOptions(
            AdaptyAPI.Settings(upstream: upstream.url, secretKeys: []), endpoint: Endpoint(upstream.url, version: .v2))
        options.timeout = .zero
        options.deadline = .milliseconds(10)
        try await withLoops { [options] loops in
            let transport = Transport(options, on: loops[0])
            let request = Call.Request(method: .get, profileHeader: "h", profileValue: "v", headers: try HeaderList([]))
            guard case .failed(let failure) = await transport.perform(request) else {
                Issue.record("no failure")
                return await transport.close(grace: .zero)
            }
            #expect(failure.kind == .timeout)
            guard case .answered = await transport.perform(request) else {
                Issue.record("the next one has no answer")
                return await transport.close(grace: .zero)
            }
            await transport.close(grace: .zero)
        }
    }

    @Test("nobody listens: connect_failed, with libcurl's words")
    func refused() async throws {
        let port = try closedPort()
        try await withAPI(url: { _ in "http://127.0.0.1:\(port)" }, { _ in [] }) { api, _ in
            let outcome = await api.set().outcome
            #expect(outcome.name == "failed")
            #expect(outcome.failure?.code == "connect_failed")
            #expect(outcome.failure?.message.hasPrefix("curl 7: ") == true)
        }
    }

    @Test("a name that does not exist: resolve_failed")
    func noSuchName() async throws {
        try await withAPI(url: { _ in "http://nowhere.invalid" }, settings: { $0.timeout = .seconds(20) }, { _ in [] })
        {
            api, _ in
            let code = await api.set().outcome.failure?.code
            // Without any resolver at all the look-up may take its time to say so.
            #expect(code == "resolve_failed" || code == "timeout")
        }
    }

    @Test(
        "of a 10 MiB answer the first 64 KiB are kept and said to be a part, and its status counts",
        arguments: [200, 500])
    func hugeAnswer(status: Int) async throws {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 10 << 20)
        try await withAPI({ _ in
            [.send("HTTP/1.1 \(status) x\r\nContent-Length: \(body.count)\r\n\r\n"), .sendBytes(body)]
        }) { api, _ in
            for _ in 0..<2 {
                let attempt = await api.set()
                #expect(attempt.outcome.name == (status == 200 ? "refused" : "failed"))
                #expect(attempt.answer?.status == status)
                #expect(attempt.answer?.body.count == 65536)
                #expect(attempt.answer?.isWhole == false)
            }
        }
    }

    @Test(
        "a profile of a MiB that v1 answers with is kept whole and its connection with it, and leaves nothing in the next",
        .timeLimit(.minutes(1)))
    func largeAnswer() async throws {
        let large = String(repeating: "x", count: 1 << 20)
        try await withAPI(settings: { $0.version = .v1 }, { [http(200, $0.number % 2 == 0 ? large : "{}")] }) {
            api, upstream in
            for _ in 0..<2 {
                let answers = await [api.read(somebody).answer, api.read(somebody).answer]
                #expect(answers.map { $0?.isWhole } == [true, true])
                #expect(answers.map { $0?.body.count } == [1 << 20, 2])
            }
            #expect(upstream.connections == 1)
        }
    }

    @Test("a redirect is an answer, and is not followed", arguments: [301, 302, 307, 308])
    func redirect(status: Int) async throws {
        try await withAPI({ _ in [http(status, "", "Location: /elsewhere")] }) { api, upstream in
            let attempt = await api.set()
            #expect(attempt.outcome.name == "refused")
            #expect(attempt.outcome.failure?.status == status)
            #expect(upstream.requests.count == 1)
        }
    }

    @Test(
        "a proxy's HTML is no answer of Adapty's",
        arguments: [(200, "refused"), (403, "refused"), (404, "refused"), (400, "refused"), (502, "failed")])
    func html(status: Int, name: String) async throws {
        let page = "<html><body>profile_not_found &amp; \"error_code\"</body></html>"
        try await withAPI({ _ in [http(status, page, "Content-Type: text/html")] }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.name == name)
            #expect(attempt.outcome.failure?.code == "http_\(status)")
            #expect(attempt.answer?.contentType == "text/html")
        }
    }

    @Test(
        "what was sent and not answered may still be taken; what was not sent may not",
        arguments: [
            (TestUpstream.Step.hold, true), (.reset, true), (.close, true), (.send("junk\r\n\r\n"), true),
            (http(504), true), (http(502), true), (http(503), false), (http(400), false), (http(200), false),
        ])
    func unknownEnds(step: TestUpstream.Step, isUnknown: Bool) async throws {
        try await withAPI(settings: { $0.timeout = .milliseconds(300) }, { _ in [step] }) { api, _ in
            #expect(await api.set().isEndUnknown == isUnknown)
        }
    }

    @Test("nobody listens: that attempt can never be taken")
    func notSent() async throws {
        let port = try closedPort()
        try await withAPI(url: { _ in "http://127.0.0.1:\(port)" }, { _ in [] }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.outcome.failure?.code == "connect_failed" && !attempt.isEndUnknown)
        }
    }

    @Test("an interim answer is not the answer")
    func interim() async throws {
        try await withAPI({ _ in
            [.send("HTTP/1.1 103 x\r\nRequest-Id: early\r\n\r\n"), http(200, "", "Request-Id: late")]
        }) {
            api, _ in
            let attempt = await api.set()
            #expect(attempt.answer?.status == 200)
            #expect(attempt.answer?.requestID == "late")
        }
    }

    @Test("Retry-After comes through the wire")
    func retryAfter() async throws {
        try await withAPI({ _ in [http(429, "", "Retry-After: 7")] }) { api, _ in
            guard case .failed(_, let after, isOverload: true) = await api.set().outcome else {
                Issue.record("not an overload")
                return
            }
            #expect(after == .seconds(7))
        }
    }

    @Test(
        "no control character of an answer's header is passed on",
        arguments: [("a/b\rX-Evil: 1", "a/b"), ("a/b\u{1}", "")])
    func controlCharacters(value: String, expected: String) async throws {
        try await withAPI({ _ in [http(200, "x", "Content-Type: \(value)")] }) { api, _ in
            let attempt = await api.set()
            #expect(attempt.answer?.contentType == expected)
        }
    }
}
