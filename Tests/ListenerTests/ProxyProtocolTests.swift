import EventLoop
import Listener
import Relay
import Testing

extension Live {
    @Suite("Behind a proxy that speaks the PROXY protocol")
    struct ProxyProtocolTests {
        private static let get = "GET /hooks/x HTTP/1.1\r\nHost: a\r\n"
        private static let text = "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n"

        private static func limits(trusted: [String] = []) throws -> ListenerLimits {
            var limits = ListenerLimits.quick
            limits.proxyProtocol = [try #require(Network("127.0.0.1"))]
            limits.trustedProxies = try trusted.map { try #require(Network($0)) }
            return limits
        }

        @Test(
            "the header says who is there, however it is cut up, and not a byte behind it is lost",
            arguments: [1, 7, 1000])
        func cutUp(size: Int) async throws {
            try await LiveServer.run(Peer(), limits: Self.limits()) { server in
                for (header, peer) in [
                    (Array(Self.text.utf8), "203.0.113.9"), (Array("PROXY UNKNOWN\r\n".utf8), "127.0.0.1"),
                    (ProxyHeaders.v2(family: 0x21, ProxyHeaders.ipv6 + [4, 0, 1, 7]), "2001:db8::1"),
                    (ProxyHeaders.v2(command: 0x20, family: 0, []), "127.0.0.1"),
                ] {
                    let client = try Client(server.address)
                    var bytes = (header + (Self.get + "\r\n" + Self.get + "\r\n").utf8)[...]
                    while !bytes.isEmpty {
                        client.send(Array(bytes.prefix(size)))
                        bytes = bytes.dropFirst(size)
                    }
                    #expect(client.receive(answers: 2) == .answered)
                    #expect(client.answers().map(\.body) == [peer, peer])
                }
            }
        }

        @Test("what a caller says of itself is believed only where the header's address is a trusted proxy")
        func forwarded() async throws {
            let request = Self.text + Self.get + "X-Forwarded-For: 1.1.1.1\r\n\r\n"
            for (trusted, peer) in [("127.0.0.1", "203.0.113.9"), ("203.0.113.0/24", "1.1.1.1")] {
                try await LiveServer.run(Peer(), limits: Self.limits(trusted: [trusted])) { server in
                    let client = try Client(server.address)
                    client.send(request)
                    client.receive(answers: 1)
                    #expect(client.answers().map(\.body) == [peer])
                }
            }
        }

        @Test(
            "a connection without its header is dropped without an answer",
            arguments: [get + "\r\n", "PROXY TCP4 1.2.3.4\r\n" + get + "\r\n", "\r\n\r\n" + get])
        func without(bytes: String) async throws {
            try await LiveServer.run(Peer(), limits: Self.limits()) { server in
                let client = try Client(server.address)
                client.send(bytes)
                #expect([.closed, .reset].contains(client.receive()))
                #expect(client.received.isEmpty)
                #expect(server.log.exchanges.isEmpty)
                #expect(server.log.shed == [.proxyHeader])
            }
        }

        @Test("a header that does not come to its end is cut at the head's deadline; a mere look is no mistake")
        func late() async throws {
            try await LiveServer.run(Peer(), limits: Self.limits()) { server in
                let client = try Client(server.address)
                client.send(Array(Self.text.utf8.prefix(9)))
                #expect(client.receive() == .closed)
                let look = try Client(server.address)
                look.finishSending()
                #expect(look.receive() == .closed)
                #expect(server.log.shed == [])
            }
        }

        @Test("from anybody else a PROXY header is a bad request")
        func fromOthers() async throws {
            var limits = try Self.limits()
            limits.proxyProtocol = [try #require(Network("10.0.0.0/8"))]
            try await LiveServer.run(Peer(), limits: limits) { server in
                let client = try Client(server.address)
                client.send(Self.text + Self.get + "\r\n")
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [400])
            }
        }

        @Test("connections are counted for the address in the header")
        func counted() async throws {
            let budget = ListenerBudget(perAddress: 1)
            try await LiveServer.run(Peer(), limits: Self.limits(), budget: budget) { server in
                func ask(_ header: String) throws -> (Client, [Int]) {
                    let client = try Client(server.address)
                    client.send(header + Self.get + "\r\n")
                    client.receive(answers: 1)
                    return (client, client.answers().map(\.status))
                }
                let first = try ask(Self.text)
                let second = try ask(Self.text)
                let other = try ask("PROXY TCP4 203.0.113.10 10.0.0.1 1 2\r\n")
                #expect((first.1, second.1, other.1) == ([200], [503], [200]))
                #expect(second.0.answers().first?.fields["retry-after"] == "5")
                #expect(second.0.receive() == .closed)
                #expect(server.log.shed == [.perAddress])
            }
        }
    }
}

/// Answers with who it thinks is asking.
struct Peer: Responder {
    func respond(to request: Request) async -> Response { .text(200, request.peer.description) }
}
