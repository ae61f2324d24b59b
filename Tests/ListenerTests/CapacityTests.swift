import EventLoop
import Listener
import Relay
import Testing

extension Live {
    @Suite("When all connections are taken")
    struct CapacityTests {
        private static let get = "GET /hooks/x HTTP/1.1\r\nHost: a\r\n\r\n"

        private static var limits: ListenerLimits {
            var limits = ListenerLimits.patient
            limits.leastRest = .zero
            limits.acceptPause = .milliseconds(30)
            return limits
        }

        @Test("those that ask nothing make room, the longest idle first")
        func makesRoom() async throws {
            var limits = Self.limits
            limits.acceptBurst = 1
            try await LiveServer.run(Peer(), limits: limits, budget: ListenerBudget(connections: 3)) { server in
                let clients = try (0..<3).map { _ in try Client(server.address) }
                // The first is the last to have asked.
                for client in [clients[1], clients[2], clients[0]] {
                    client.send(Self.get)
                    #expect(client.receive(answers: 1) == .answered)
                }
                let newcomer = try Client(server.address)
                newcomer.send(Self.get)
                #expect(newcomer.receive(answers: 1) == .answered)
                #expect(newcomer.answers().map(\.status) == [200])
                #expect(clients[1].receive() == .closed)
                #expect(server.log.shed == [.idle])
                clients[0].send(Self.get)
                #expect(clients[0].receive(answers: 2) == .answered)
            }
        }

        @Test("who has most connections makes room before the others, however long these are idle")
        func fair() async throws {
            var limits = Self.limits
            limits.acceptBurst = 1
            limits.proxyProtocol = [try #require(Network("127.0.0.1"))]
            try await LiveServer.run(Peer(), limits: limits, budget: ListenerBudget(connections: 4)) { server in
                func client(_ address: String) throws -> Client {
                    let client = try Client(server.address)
                    client.send("PROXY TCP4 \(address) 10.0.0.1 1 2\r\n" + Self.get)
                    #expect(client.receive(answers: 1) == .answered)
                    return client
                }
                let modest = try client("203.0.113.1")
                let greedy = try (0..<3).map { _ in try client("203.0.113.2") }
                let newcomer = try client("203.0.113.3")
                #expect(newcomer.answers().map(\.body) == ["203.0.113.3"])
                #expect(greedy[0].receive() == .closed)
                modest.send(Self.get)
                #expect(modest.receive(answers: 2) == .answered)
            }
        }

        @Test("where all are busy a newcomer is told to come again, and nobody is cut")
        func allBusy() async throws {
            let gate = Gate()
            try await LiveServer.run(gate, limits: Self.limits, budget: ListenerBudget(connections: 2)) { server in
                let busy = try (0..<2).map { _ in try Client(server.address) }
                for client in busy { client.send(Self.get) }
                #expect(eventually { gate.count == 2 })
                let newcomer = try Client(server.address)
                newcomer.send(Self.get)
                #expect(newcomer.receive(answers: 1) == .answered)
                #expect(newcomer.answers().map(\.status) == [503])
                #expect(newcomer.answers().first?.fields["retry-after"] == "5")
                #expect(server.log.shed == [.full])
                gate.open()
                for client in busy { #expect(client.receive(answers: 1) == .answered) }
                #expect(busy.map { $0.answers().map(\.status) } == [[200], [200]])
                // Now there is room again: those two are idle.
                let later = try Client(server.address)
                later.send(Self.get)
                #expect(later.receive(answers: 1) == .answered)
                #expect(later.answers().map(\.status) == [200])
            }
        }

        @Test("one address has no more than its share, and gets back what it closes; a trusted proxy has any number")
        func perAddress() async throws {
            let budget = ListenerBudget(perAddress: 2)
            try await LiveServer.run(Peer(), limits: Self.limits, budget: budget) { server in
                let two = try (0..<2).map { _ in try Client(server.address) }
                for client in two {
                    client.send(Self.get)
                    client.receive(answers: 1)
                }
                let third = try Client(server.address)
                #expect(third.receive() == .closed)
                #expect(third.answers().map(\.status) == [503])
                #expect(third.answers().first?.fields["connection"] == "close")
                #expect(server.log.shed == [.perAddress])
                two[0].finishSending()
                #expect(two[0].receive() == .closed)
                let fourth = try Client(server.address)
                fourth.send(Self.get)
                #expect(fourth.receive(answers: 1) == .answered)
                #expect(fourth.answers().map(\.status) == [200])
            }
            var limits = Self.limits
            limits.trustedProxies = [try #require(Network("127.0.0.0/8"))]
            try await LiveServer.run(Peer(), limits: limits, budget: ListenerBudget(perAddress: 1)) { server in
                let clients = try (0..<3).map { _ in try Client(server.address) }
                for client in clients {
                    client.send(Self.get)
                    #expect(client.receive(answers: 1) == .answered)
                    #expect(client.answers().map(\.status) == [200])
                }
            }
        }
    }
}
