import EventLoop
import Glibc
import Listener
import Relay
import Synchronization
import Testing

extension Live {
    @Suite("The listener")
    struct ListenerTests {
        static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

        // MARK: Answers

        @Test("an answer has a length, a date, the request's id, and no server's version")
        func fields() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("GET /a HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n")
                client.receive(answers: 1)
                let answer = try #require(client.answers().first)
                #expect(answer.status == 200)
                #expect(answer.body == "GET /a ")
                #expect(answer.fields["content-length"] == "7")
                #expect(answer.fields["x-request-id"] == "mine-1")
                #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
                #expect(answer.fields["server"] == nil)
                #expect(answer.fields["connection"] == nil)
            }
        }

        @Test("a request without an id gets one, and so do bytes that are no request")
        func requestIDs() async throws {
            try await LiveServer.run(Echo()) { server in
                for text in [Self.get, "nonsense\r\n\r\n"] {
                    let client = try Client(server.address)
                    client.send(text)
                    client.receive(answers: 1)
                    let id = try #require(client.answers().first?.fields["x-request-id"])
                    #expect(UniqueID(id) != nil)
                    #expect(server.log.exchanges.last?.requestID == id)
                }
            }
        }

        @Test("GET with Content-Length: 0 has no body and is answered: curl --data '' and others send it")
        func emptyGet() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                let field = "Content-Type: application/json\r\nContent-Length: 0"
                client.send("GET /a HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
                client.receive(answers: 1)
                client.send(Self.get)
                client.receive(answers: 2)
                #expect(client.answers().map(\.status) == [200, 200])
                #expect(client.answers().map(\.body) == ["GET /a ", "GET /a "])
            }
        }

        @Test("GET with a body is refused, and its body is no request", arguments: ["1", "43"])
        func fullGet(length: String) async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n\(Self.get)")
                #expect(client.receive() != .quiet)
                #expect(client.answers().map(\.status) == [400])
            }
        }

        @Test("a framing error is answered with Adapty's error body, then the connection ends")
        func errorBody() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("GET / HTTP/1.1\r\n\r\n")
                client.send(Self.get)
                #expect(client.receive() != .quiet)
                let answer = try #require(client.answers().first)
                #expect(client.answers().count == 1)
                #expect(
                    answer.body
                        == #"{"errors":["There must be exactly one Host field."],"#
                        + #""error_code":"bad_request","status_code":400}"#
                )
                #expect(answer.fields["content-type"] == "application/json")
            }
        }

        @Test(
            "HEAD gets every field and no body, also when it is refused",
            arguments: ["/a HTTP/1.1\r\nHost: a", "/ HTTP/1.1"])
        func head(_ rest: String) async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("HEAD \(rest)\r\nConnection: close\r\n\r\n")
                #expect(client.receive() == .closed)
                let answer = try #require(client.answers(to: ["HEAD"]).first)
                #expect(Int(answer.fields["content-length"] ?? "") ?? 0 > 0)
                #expect(client.rest(methods: ["HEAD"]).isEmpty)
            }
        }

        @Test("204 has neither length nor body")
        func noContent() async throws {
            try await LiveServer.run(Fixed(Response(status: 204, body: [1]))) { server in
                let client = try Client(server.address)
                client.send("GET / HTTP/1.0\r\n\r\n")
                #expect(client.receive() == .closed)
                let answer = try #require(client.answers().first)
                #expect(answer.fields["content-length"] == nil)
                #expect(client.rest().isEmpty)
            }
        }

        @Test("a field of an answer cannot begin another, nor say where the answer ends")
        func splitting() async throws {
            let fields = [
                Field("X-A", "b\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK"), Field("content-length", "0"),
                Field("Transfer-Encoding", "chunked"), Field("Connection", "keep-alive"),
            ]
            try await LiveServer.run(Fixed(Response(status: 200, headers: fields, body: Array("body".utf8)))) {
                server in
                let client = try Client(server.address)
                client.send(Self.get)
                client.receive(answers: 1)
                let answer = try #require(client.answers().first)
                #expect(answer.fields["x-evil"] == nil)
                #expect(answer.fields["transfer-encoding"] == nil)
                #expect(answer.body == "body")
                #expect(client.rest().isEmpty)
            }
        }

        @Test("HTTP/1.0 is kept alive only where it asks, and is told so")
        func http10() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                client.receive(answers: 1)
                #expect(client.answers().last?.fields["connection"] == "keep-alive")
                client.send("GET /2 HTTP/1.0\r\n\r\n")
                #expect(client.receive() == .closed)
                #expect(client.answers().last?.fields["connection"] == "close")
                #expect(client.answers().map(\.body) == ["GET /1 ", "GET /2 "])
            }
        }

        // MARK: Expect

        @Test("a body is asked for only after the head has been let pass")
        func continues() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
                #expect(client.receive(answers: 1) == .answered)
                #expect(client.answers().map(\.status) == [100])
                client.send("abc")
                #expect(client.receive(answers: 2) == .answered)
                #expect(client.answers().last?.body == "POST /a abc")
                #expect(server.log.exchanges.map(\.status) == [200])
            }
        }

        @Test("a body that would be refused is never asked for")
        func answersEarly() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("POST /closed HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [401])
                #expect(client.answers().first?.fields["connection"] == "close")
            }
        }

        // MARK: Exchanges

        @Test("the observer hears of every answer: what was asked, how large it was and how long it took")
        func observes() async throws {
            try await LiveServer.run(Echo()) { server in
                let client = try Client(server.address)
                client.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                client.receive(answers: 1)
                client.send("BREW /a HTTP/1.1\r\n\r\n")
                #expect(client.receive() == .closed)
                let exchanges = server.log.exchanges
                try #require(exchanges.count == 2)
                #expect(exchanges[0].method == .post)
                #expect(exchanges[0].requestBodyBytes == 3)
                #expect(exchanges[0].responseBodyBytes == 11)
                #expect(exchanges[0].peer.description == "127.0.0.1")
                #expect(exchanges[0].receiveDuration >= .zero && exchanges[0].handleDuration >= .zero)
                #expect(exchanges[1].method == nil)
                #expect(exchanges[1].status == 501)
                #expect(exchanges[1].account.refusal == "not_implemented")
            }
        }

        @Test("a responder runs on its connection's loop, before and after it has waited")
        func onLoop() async throws {
            let gate = LoopGate()
            try await LiveServer.run(gate) { server in
                gate.loop.withLock { $0 = server.loop }
                let client = try Client(server.address)
                client.send(Self.get)
                client.receive(answers: 1)
                #expect(client.answers().first?.body == "true true")
            }
        }

        // MARK: Caps

        @Test("at the limit of connections accepting pauses; who waits is served when there is room")
        func connectionCap() async throws {
            var limits = ListenerLimits.patient
            // Nothing is idle enough to go, and the next look comes after there is room.
            limits.leastRest = .seconds(3600)
            limits.acceptPause = .seconds(1)
            try await LiveServer.run(Echo(), limits: limits, budget: ListenerBudget(connections: 2)) { server in
                var first: Client? = try Client(server.address)
                let second = try Client(server.address)
                for client in [first, second] {
                    client?.send(Self.get)
                    client?.receive(answers: 1)
                }
                let third = try Client(server.address)
                third.send(Self.get)
                #expect(third.receive(answers: 1, patience: .milliseconds(100)) == .quiet)
                #expect(server.budget.openConnections == 2)
                first = nil
                #expect(third.receive(answers: 1) == .answered)
            }
        }

        @Test("beyond the bytes in flight a request gets 503 with Retry-After, and later ones are served again")
        func byteCap() async throws {
            try await LiveServer.run(Echo(), budget: ListenerBudget(bytes: 50_000)) { server in
                let holder = try Client(server.address)
                holder.send(
                    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
                        + String(repeating: "a", count: 40_000))
                #expect(eventually { server.budget.bytesInFlight > 40_000 })
                let refused = try Client(server.address)
                refused.send(
                    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 15000\r\n\r\n"
                        + String(repeating: "a", count: 15_000))
                #expect(refused.receive() == .closed)
                #expect(refused.answers().map(\.status) == [503])
                #expect(refused.answers().first?.fields["retry-after"] == "1")
                holder.send(String(repeating: "a", count: 20_000))
                #expect(holder.receive() == .closed)
                #expect(holder.answers().map(\.status) == [503])
                let served = try Client(server.address)
                served.send(Self.get)
                #expect(served.receive(answers: 1) == .answered)
            }
        }

        // MARK: Drain

        @Test("a drain answers what is in flight, closes what is idle, and takes nobody new")
        func drains() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let idle = try Client(server.address)
                let asking = try Client(server.address)
                asking.send(Self.get)
                #expect(eventually { gate.count == 1 && server.budget.openConnections == 2 })
                async let drained: Void = server.listener.drain(timeout: .seconds(30))
                #expect(idle.receive() == .closed)
                #expect(throws: SystemError.self) { try Client(server.address) }
                gate.open()
                #expect(asking.receive() == .closed)
                #expect(asking.answers().first?.status == 200)
                #expect(asking.answers().first?.fields["connection"] == "close")
                await drained
                #expect(server.budget.openConnections == 0)
            }
        }

        // Regression: the connection was left as an idle one is, until the drain's timeout.
        @Test("an answer that comes in the round in which the drain begins is the connection's last")
        func drainsAnswered() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(Self.get)
                #expect(eventually { gate.count == 1 })
                // While the loop is held up both come: the answer first.
                let held = HeldLoop(server.loop)
                gate.open()
                async let drained: Void = server.listener.drain(timeout: .seconds(50))
                usleep(20_000)
                held.release()
                let begin = ContinuousClock.now
                await drained
                #expect(begin.duration(to: .now) < .seconds(25))
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test("many who ask in one round are all answered, though a round ends before it has handled all of them")
        func fullRound() async throws {
            try await LiveServer.run { server in
                let clients = try (0..<300).map { _ in try Client(server.address) }
                #expect(eventually { server.budget.openConnections == 300 })
                let held = HeldLoop(server.loop)
                for client in clients { client.send(Self.get + Self.get) }
                held.release()
                #expect(eventually { server.log.exchanges.count == 600 })
                for client in clients { #expect(client.receive(answers: 2) == .answered) }
            }
        }

        @Test("a request that is in the socket when the drain begins is answered")
        func drainsUnread() async throws {
            let gate = Gate()
            gate.open()
            try await LiveServer.run(gate) { server in
                // While the loop is held up a peer connects and sends; the loop meets the drain first.
                let held = HeldLoop(server.loop)
                async let drained: Void = server.listener.drain(timeout: .seconds(30))
                let client = try Client(server.address)
                client.send(Self.get)
                usleep(20_000)
                held.release()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
                await drained
            }
        }

        @Test("a drain ends at its timeout, whatever is still in flight; the late answer goes nowhere")
        func drainTimesOut() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(Self.get)
                #expect(eventually { gate.count == 1 })
                await server.listener.drain(timeout: .milliseconds(50))
                #expect(client.receive() != .quiet)
                #expect(client.received.isEmpty)
                gate.open()
                // The answer's turn on the loop, and then ours.
                await withCheckedContinuation { continuation in server.loop.execute { continuation.resume() } }
                #expect(server.log.exchanges.isEmpty)
                #expect(server.budget.openConnections == 0)
                await server.listener.drain(timeout: .zero)
            }
        }

        @Test("a listener that never started drains at once")
        func drainsNew() async throws {
            let loop = try EventLoop(name: "test")
            try loop.start()
            defer { loop.stop() }
            let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
            let listener = try Listener(
                loop: loop, socket: ListeningSocket(address), responder: Echo(), observer: ExchangeLog(),
                budget: ListenerBudget())
            await listener.drain(timeout: .seconds(30))
        }

        // MARK: Memory

        @Test("idle connections hold nothing in flight, though they have been used")
        func idleHoldsNothing() async throws {
            try await LiveServer.run(Echo()) { server in
                let clients = try (0..<100).map { _ in try Client(server.address) }
                for client in clients {
                    client.send(Self.get)
                    client.receive(answers: 1)
                }
                #expect(server.budget.openConnections == 100)
                #expect(eventually { server.budget.bytesInFlight == 0 })
            }
        }
    }
}

/// Says what it was asked.
private struct Echo: Responder {
    func answerEarly(_ head: Request) -> Response? {
        head.path == "/closed" ? Response(.unauthorized(cause: "test")) : nil
    }

    func respond(to request: Request) async -> Response {
        .text(200, "\(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
    }
}

private struct Fixed: Responder {
    let response: Response

    init(_ response: Response) { self.response = response }

    func respond(to request: Request) async -> Response { response }
}

/// Waits on its loop's clock, and says where it ran.
private final class LoopGate: Responder {
    let loop = Mutex<EventLoop?>(nil)

    func respond(to request: Request) async -> Response {
        guard let loop = loop.withLock({ $0 }) else { return .text(500, "") }
        let before = loop.isCurrent
        try? await LoopClock(loop).sleep(for: .milliseconds(5))
        return .text(200, "\(before) \(loop.isCurrent)")
    }
}
