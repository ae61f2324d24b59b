import EventLoop
import Listener
import Relay
import Synchronization
import Testing

extension Live {
    /// What peers do that no request describes.
    @Suite("Peers that misbehave")
    struct MisbehaviourTests {
        static let get = "GET /hooks/x HTTP/1.1\r\nHost: a\r\n\r\n"
        static let post = "POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}"

        // MARK: Deadlines

        @Test(
            "a peer that drips is cut at the deadline, however often it sends",
            arguments: [
                ("POST /hooks/x HTTP/1.1\r\nX: ", "a", 408),
                ("POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n", "a", 408),
                ("POST /hooks/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", 408),
                ("\r", "", 408), ("", "\r\n", 400),
            ])
        func drips(_ start: String, _ drip: String, _ status: Int) async throws {
            try await LiveServer.run(limits: .quick) { server in
                let client = try Client(server.address)
                client.send(start)
                var end = Client.End.quiet
                let began = ContinuousClock.now
                while end == .quiet, began.duration(to: .now) < .seconds(30) {
                    client.send(drip)
                    end = client.receive(patience: .milliseconds(50))
                }
                #expect(end == .closed || end == .reset)
                #expect(client.answers().map(\.status) == [status])
                #expect(began.duration(to: .now) < .seconds(30))
            }
        }

        @Test(
            "a later request has the head's deadline from its first byte, not what is left of the idle one"
        )
        func dripsLater() async throws {
            var limits = ListenerLimits.quick
            limits.idleDeadline = .seconds(60)
            try await LiveServer.run(limits: limits) { server in
                let client = try Client(server.address)
                client.send(Self.post)
                client.receive(answers: 1)
                client.send("POST /hooks/x HTTP/1.1\r\n")
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200, 408])
            }
        }

        @Test("a connection that never sends anything is closed without a word")
        func silent() async throws {
            try await LiveServer.run(limits: .quick) { server in
                let client = try Client(server.address)
                #expect(client.receive() == .closed)
                #expect(client.received.isEmpty)
                #expect(server.log.exchanges.isEmpty)
            }
        }

        @Test("between requests only the idle deadline runs")
        func idle() async throws {
            try await LiveServer.run(limits: .quick) { server in
                let client = try Client(server.address)
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                // Twice as long as a head may take.
                #expect(client.receive(patience: .milliseconds(600)) == .quiet)
                client.send(Self.post)
                #expect(client.receive(answers: 2) == .answered)
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200, 200])
            }
        }

        @Test("a request with the responder has no deadline here")
        func patient() async throws {
            let gate = Gate()
            try await LiveServer.run(gate, limits: .quick) { server in
                let client = try Client(server.address)
                client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(client.receive(patience: .milliseconds(900)) == .quiet)
                gate.open()
                #expect(client.receive(answers: 1) == .answered)
                #expect(client.answers().first?.body == "/slow")
            }
        }

        @Test("a peer that does not take its answer is cut at the write deadline")
        func neverReads() async throws {
            try await LiveServer.run(Large(), limits: .quick) { server in
                let client = try Client(server.address, receiveBuffer: 4096)
                client.send(Self.get)
                #expect(eventually { server.budget.bytesInFlight > 1_000_000 })
                #expect(eventually { server.budget.openConnections == 0 })
                #expect(server.budget.bytesInFlight == 0)
            }
        }

        @Test("an answer that the kernel takes in parts arrives whole, and the next request is answered")
        func inParts() async throws {
            try await LiveServer.run(Large()) { server in
                let client = try Client(server.address)
                client.send(Self.get + Self.get)
                #expect(client.receive(answers: 2) == .answered)
                #expect(client.answers().map(\.body.utf8.count) == [Large.bytes, Large.bytes])
            }
        }

        // MARK: Ends

        @Test("a half-close behind a whole request still gets its answer")
        func halfCloseAfterRequest() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(Self.get)
                client.finishSending()
                #expect(eventually { gate.count == 1 })
                gate.open()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test(
            "a request that ends in its middle is never processed",
            arguments: [
                "POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 70\r\n\r\n{\"a\":1}",
                "POST /hooks/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n",
                "POST /hooks/x HTTP/1.1\r\nHost: a\r\n",
            ])
        func halfCloseWithin(_ text: String) async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(text)
                client.finishSending()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [400])
                #expect(gate.count == 0)
            }
        }

        @Test("resets at any point leave the server well and nothing behind")
        func resets() async throws {
            try await LiveServer.run { server in
                for index in 0..<200 {
                    let client = try Client(server.address)
                    client.send(index.isMultiple(of: 2) ? Self.post : String(Self.post.prefix(index % Self.post.count)))
                    client.resetOnClose()
                }
                let client = try Client(server.address)
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
            }
        }

        @Test("a peer that is gone before its answer costs nothing but the answer")
        func goneBeforeAnswer() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                var client: Client? = try Client(server.address)
                client?.send(Self.get)
                #expect(eventually { gate.count == 1 })
                client?.resetOnClose()
                client = nil
                gate.open()
                #expect(eventually { server.budget.openConnections == 0 })
            }
        }

        @Test(
            "a peer that hangs up while its request is worked on is closed within a second, and the work is told",
            arguments: [false, true], ["", get])
        func hangsUp(resets: Bool, ahead: String) async throws {
            let work = Stuck()
            try await LiveServer.run(work) { server in
                var client: Client? = try Client(server.address)
                client?.send(Self.get + ahead)
                #expect(eventually { work.count == 1 })
                if resets { client?.resetOnClose() }
                client = nil
                #expect(eventually(within: .seconds(1)) { server.budget.openConnections == 0 })
                #expect(eventually { work.cancellations == 1 })
                // Its trace in the log.
                #expect(eventually { server.log.exchanges.map(\.status) == [499] })
                #expect(work.count == 1)
            }
        }

        @Test("a peer that only stopped sending is answered for half a second longer")
        func stopsSending() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(Self.get)
                client.finishSending()
                #expect(client.receive(patience: .milliseconds(250)) == .quiet)
                gate.open()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test("a peer that sent ahead and stays is not taken for one that hung up")
        func staysAhead() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send(Self.get + Self.get)
                #expect(client.receive(patience: .milliseconds(1300)) == .quiet)
                gate.open()
                #expect(client.receive(answers: 2) == .answered)
            }
        }

        @Test("the answer to a refused upload can be read, though the peer sends on")
        func lingers() async throws {
            try await LiveServer.run { server in
                let client = try Client(server.address)
                client.send("POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
                client.send([UInt8](repeating: 0, count: 300_000))
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [413])
                #expect(client.answers().first?.fields["connection"] == "close")
            }
        }

        // MARK: Ahead

        @Test("500 requests sent at once are answered in order")
        func pipelined() async throws {
            let gate = Gate()
            gate.open()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                client.send((0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
                #expect(client.receive(answers: 500) == .answered)
                #expect(client.answers().map(\.body) == (0..<500).map { "/\($0)" })
            }
        }

        @Test("who sends far ahead holds up nobody: another is answered between two of its requests")
        func othersInBetween() async throws {
            let order = Order()
            try await LiveServer.run(order) { server in
                let flood = try Client(server.address)
                let other = try Client(server.address)
                // Another peer's request arrives while the first of many is answered.
                order.onFirst { other.send("GET /other HTTP/1.1\r\nHost: a\r\n\r\n") }
                flood.send(String(repeating: "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", count: 500))
                #expect(other.receive(answers: 1) == .answered)
                #expect(flood.receive(answers: 500) == .answered)
                let place = try #require(order.paths.firstIndex(of: "/other"))
                #expect(place <= 128)
            }
        }

        @Test("while a request is in flight, one receive buffer of what comes after it is held and no more")
        func aheadIsNotRead() async throws {
            let gate = Gate()
            try await LiveServer.run(gate) { server in
                let client = try Client(server.address)
                let flood = Array(String(repeating: Self.get, count: 2000).utf8)
                let sent = client.sendUntilBlocked(flood, atMost: 100_000_000, patience: .milliseconds(200))
                #expect(sent < 100_000_000)
                #expect(server.budget.bytesInFlight <= 2 * 65536)
                #expect(gate.count == 1)
                gate.open()
            }
        }

        @Test("a peer that sends and never reads is stopped by its own answers")
        func floodWithoutReading() async throws {
            try await LiveServer.run { server in
                let client = try Client(server.address, receiveBuffer: 4096)
                let flood = Array(String(repeating: Self.post, count: 1000).utf8)
                let sent = client.sendUntilBlocked(flood, atMost: 100_000_000, patience: .milliseconds(100))
                #expect(sent < 100_000_000)
                #expect(server.budget.bytesInFlight <= 2 * 65536)
            }
        }
    }
}

/// Works on a request until it is told to stop.
private final class Stuck: Responder {
    private let seen = Mutex((requests: 0, cancellations: 0))

    var count: Int { seen.withLock { $0.requests } }
    var cancellations: Int { seen.withLock { $0.cancellations } }

    func respond(to request: Request) async -> Response {
        seen.withLock { $0.requests += 1 }
        try? await Task.sleep(for: .seconds(20))
        if Task.isCancelled { seen.withLock { $0.cancellations += 1 } }
        return Response(status: 200)
    }
}

/// Answers at once, and keeps in which order it was asked.
private final class Order: Responder {
    private struct Seen {
        var paths: [String] = []
        var onFirst: (@Sendable () -> Void)?
    }

    private let seen = Mutex(Seen())

    var paths: [String] { seen.withLock { $0.paths } }

    func onFirst(_ body: @escaping () -> Void) {
        nonisolated(unsafe) let body = body
        seen.withLock { $0.onFirst = { body() } }
    }

    func reply(to request: Request) -> Reply { .now(answer(request)) }

    func respond(to request: Request) async -> Response { answer(request) }

    private func answer(_ request: Request) -> Response {
        let first = seen.withLock { seen in
            seen.paths.append(request.path)
            return exchange(&seen.onFirst, with: nil)
        }
        first?()
        return .text(200, "")
    }
}

/// Answers with more than a socket buffer takes.
private struct Large: Responder {
    static let bytes = 8_000_000

    func respond(to request: Request) async -> Response {
        Response(status: 200, body: [UInt8](repeating: UInt8(ascii: "x"), count: Self.bytes))
    }
}
