import CTLS
import EventLoop
import Listener
import Relay
import Synchronization
import TestCertificates
import Testing

@testable import TLS

extension Live {
    /// What is TLS's own; the corpus runs over it too.
    @Suite("The listener under TLS")
    struct TLSListenerTests {
        static let get = MisbehaviourTests.get
        static let post = MisbehaviourTests.post

        // MARK: Handshakes

        @Test(
            "TLS 1.2 and 1.3 are spoken, and the log says which",
            arguments: [(TLS1_2_VERSION, "TLSv1.2"), (TLS1_3_VERSION, "TLSv1.3")])
        func versions(_ version: Int32, _ name: String) async throws {
            try await TLSRig.run { server, _ in
                let client = try Client(server.address, tls: .init(versions: version...version))
                client.send(Self.post + Self.post)
                #expect(client.receive(answers: 2) == .answered)
                #expect(client.answers().map(\.status) == [200, 200])
                #expect(
                    server.log.exchanges.map(\.tls) == Array(repeating: TLSUse(version: name, client: nil), count: 2))
            }
        }

        @Test(
            "what is older than the minimum is refused",
            arguments: [
                (TLSSettings.Version.tls12, TLS1_1_VERSION), (.tls12, TLS1_VERSION), (.tls13, TLS1_2_VERSION),
            ])
        func tooOld(_ minimum: TLSSettings.Version, _ version: Int32) async throws {
            try await TLSRig.run(configure: { settings, _ in settings.minimum = minimum }) { server, failures in
                #expect(throws: TLSClient.Failed.self) {
                    try Client(server.address, tls: .init(versions: version...version))
                }
                #expect(eventually { failures.reasons == [.unsupported] })
            }
        }

        @Test(
            "HTTP/1.1 is agreed on where it is offered, and nothing else is", arguments: ["\u{2}h2\u{8}http/1.1", ""])
        func protocols(_ offered: String) async throws {
            try await TLSRig.run { server, failures in
                let client = try Client(server.address, tls: .init(protocols: offered))
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                #expect(throws: TLSClient.Failed.self) { try Client(server.address, tls: .init(protocols: "\u{2}h2")) }
                #expect(eventually { failures.reasons == [.unsupported] })
            }
        }

        @Test("a handshake that drips is cut at the head's deadline")
        func drippingHandshake() async throws {
            try await TLSRig.run(limits: .quick) { server, failures in
                let client = try Client(server.address)
                var hello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + Array(repeating: 7, count: 400)
                var end = Client.End.quiet
                while end == .quiet, !hello.isEmpty {
                    client.send([hello.removeFirst()])
                    end = client.receive(patience: .milliseconds(20))
                }
                #expect(end == .closed || end == .reset)
                #expect(failures.reasons == [.deadline])
            }
        }

        @Test("a peer that connects and says nothing is closed, and is no failed handshake")
        func silent() async throws {
            try await TLSRig.run(limits: .quick) { server, failures in
                let client = try Client(server.address)
                #expect(client.receive() == .closed)
                #expect(client.received.isEmpty)
                #expect(failures.reasons.isEmpty)
            }
        }

        @Test("a finished handshake buys no more time for the first request")
        func handshakeAndSilence() async throws {
            try await TLSRig.run(limits: .quick) { server, failures in
                let client = try server.client()
                #expect(client.receive() == .closed)
                #expect(failures.reasons.isEmpty)
            }
        }

        @Test("peers that vanish in their handshake leave nothing behind")
        func resets() async throws {
            try await TLSRig.run { server, failures in
                for index in 0..<100 {
                    let client = try Client(server.address)
                    client.send([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].prefix(1 + index % 11) + [])
                    client.resetOnClose()
                }
                #expect(eventually { server.budget.openConnections == 0 })
                // A reset that comes before the bytes were read takes them along: then nobody had begun.
                #expect(failures.reasons.allSatisfy { $0 == .closed })
                let client = try server.client()
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
            }
        }

        @Test(
            "what is not TLS is closed",
            arguments: ["\0\0\0\0\0\0\0\0", "SSH-2.0-OpenSSH_9.2\r\n", "\u{16}\u{3}\u{1}\0\0"])
        func garbage(_ text: String) async throws {
            try await TLSRig.run(limits: .quick) { server, failures in
                let client = try Client(server.address)
                client.send(text)
                client.finishSending()
                #expect(client.receive() == .closed)
                #expect(client.answers().isEmpty)
                #expect(failures.reasons.count == 1)
            }
        }

        @Test("HTTP without TLS is told so in words it understands")
        func plainHTTP() async throws {
            try await TLSRig.run { server, failures in
                let client = try Client(server.address)
                client.send(Self.post)
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [400])
                #expect(client.answers().first?.body.contains("TLS is spoken here") == true)
                #expect(failures.reasons == [.plainHTTP])
                #expect(server.log.exchanges.map(\.tls) == [nil])
            }
        }

        // MARK: Requests

        @Test("a client that sends a byte at a time is understood")
        func dripping() async throws {
            try await TLSRig.run { server, _ in
                let client = try Client(server.address, tls: .init(drips: true))
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test(
            "a request of any length arrives whole, wherever records and buffers end",
            arguments: [4000, 4096, 8123, 16_384, 65_536, 200_000])
        func large(_ bytes: Int) async throws {
            // Less than a record, so that there is always something that the socket does not tell of.
            var limits = ListenerLimits.patient
            limits.receiveBytes = 4096
            try await TLSRig.run(limits: limits) { server, _ in
                let client = try server.client()
                let body = #"{"a":""# + String(repeating: "x", count: bytes - 8) + #""}"#
                client.send("POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: \(bytes)\r\n\r\n" + body)
                #expect(client.receive(answers: 1) == .answered)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test("requests in one record, and in many, are answered in order", arguments: [10, 300])
        func pipelined(_ padding: Int) async throws {
            let gate = Gate()
            gate.open()
            try await TLSRig.run(gate) { server, _ in
                let client = try server.client()
                let fill = String(repeating: "x", count: padding)
                client.send((0..<300).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\nX: \(fill)\r\n\r\n" }.joined())
                #expect(client.receive(answers: 300) == .answered)
                #expect(client.answers().map(\.body) == (0..<300).map { "/\($0)" })
            }
        }

        @Test("an answer that the kernel takes in parts arrives whole, and the next request is answered")
        func inParts() async throws {
            try await TLSRig.run(Large()) { server, _ in
                let client = try Client(server.address, receiveBuffer: 4096, tls: .init())
                client.send(Self.get + Self.get)
                #expect(client.receive(answers: 2) == .answered)
                #expect(client.answers().map(\.body.utf8.count) == [Large.bytes, Large.bytes])
            }
        }

        @Test("a peer that does not take its answer is cut at the write deadline")
        func neverReads() async throws {
            try await TLSRig.run(Large(), limits: .quick) { server, _ in
                let client = try Client(server.address, receiveBuffer: 4096, tls: .init())
                client.send(Self.get)
                #expect(eventually { server.budget.bytesInFlight > 1_000_000 })
                #expect(eventually { server.budget.openConnections == 0 })
                #expect(client.receive(patience: .zero) != .answered)
            }
        }

        @Test("a peer that is gone before its answer costs nothing but the answer")
        func goneBeforeAnswer() async throws {
            let gate = Gate()
            try await TLSRig.run(gate) { server, _ in
                var client: Client? = try server.client()
                client?.send(Self.get)
                #expect(eventually { gate.count == 1 })
                client?.resetOnClose()
                client = nil
                gate.open()
                #expect(eventually { server.budget.openConnections == 0 })
            }
        }

        @Test("a PROXY header stands before the handshake and says who is there")
        func proxied() async throws {
            var limits = ListenerLimits.patient
            limits.proxyProtocol = [try #require(Network("127.0.0.1/32"))]
            try await TLSRig.run(limits: limits) { server, _ in
                let client = try Client(server.address)
                client.send("PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n")
                try client.beginTLS(.init())
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                #expect(server.log.exchanges.map(\.peer.description) == ["203.0.113.9"])
                #expect(server.log.exchanges.map(\.tls?.version) == ["TLSv1.3"])
            }
        }

        // MARK: Ends

        @Test("close_notify behind a whole request still gets its answer")
        func halfClose() async throws {
            let gate = Gate()
            try await TLSRig.run(gate) { server, _ in
                let client = try server.client()
                client.send(Self.get)
                client.finishSending()
                #expect(eventually { gate.count == 1 })
                gate.open()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
            }
        }

        @Test("a request that ends in its middle is never processed")
        func truncated() async throws {
            let gate = Gate()
            try await TLSRig.run(gate) { server, _ in
                let client = try server.client()
                client.send("POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 70\r\n\r\n{\"a\":1}")
                client.finishSending()
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [400])
                #expect(gate.count == 0)
            }
        }

        @Test("the last answer ends with close_notify, though the peer sends on")
        func lingers() async throws {
            try await TLSRig.run { server, _ in
                let client = try server.client()
                client.send("POST /hooks/x HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n")
                client.send([UInt8](repeating: 0, count: 300_000))
                // Without close_notify the client's end would say .reset.
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [413])
            }
        }

        @Test("an idle connection is ended with close_notify")
        func idle() async throws {
            try await TLSRig.run(limits: .quick) { server, _ in
                let client = try server.client()
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                #expect(client.receive() == .closed)
            }
        }

        @Test("a handshake under way when the listener drains is finished, and its request answered")
        func draining() async throws {
            let files = try TestCertificates()
            let pair = try files.make("server")
            let acceptor = TLSAcceptor(try TLSContext(TLSSettings(certificate: pair.certificate, key: pair.key)))
            try await LiveServer.run(tls: acceptor) { server in
                let client = try Client(server.address)
                client.send([0x16])
                async let drained: Void = server.listener.drain(timeout: .seconds(20))
                // The door is closed as soon as the drain has begun.
                #expect(eventually { (try? Client(server.address)) == nil })
                try client.beginTLS(.init(hasBegun: true))
                client.send(Self.post)
                #expect(client.receive() == .closed)
                #expect(client.answers().map(\.status) == [200])
                #expect(client.answers().first?.fields["connection"] == "close")
                await drained
            }
        }

        // MARK: Certificates

        @Test("where clients need a certificate, one of the authority's is taken and named", arguments: [false, true])
        func clientCertificates(_ isOld: Bool) async throws {
            let version = isOld ? TLS1_2_VERSION : TLS1_3_VERSION
            let (files, other) = (try TestCertificates(), try TestCertificates())
            let authority = try files.make("clients", name: "Clients")
            let mine = try files.make("mine", name: "billing", by: authority)
            let foreign = try other.make("foreign", name: "billing", by: try other.make("clients", name: "Clients"))
            try await TLSRig.run(configure: { settings, _ in settings.clientCA = authority.certificate }) {
                server, failures in
                let client = try Client(
                    server.address, tls: .init(versions: version...version, certificate: mine))
                client.send(Self.post)
                #expect(client.receive(answers: 1) == .answered)
                #expect(server.log.exchanges.map(\.tls?.client) == ["billing"])

                for certificate in [nil, foreign] {
                    // In TLS 1.3 the client is done before the server has looked.
                    let refused = try? Client(
                        server.address, tls: .init(versions: version...version, certificate: certificate))
                    refused?.send(Self.post)
                    refused?.receive()
                    #expect(refused?.received.isEmpty != false)
                }
                #expect(eventually { failures.reasons == [.clientCertificate, .clientCertificate] })
            }
        }

        @Test("after a reload open connections go on, and new ones see the new certificate")
        func reload() async throws {
            let files = try TestCertificates()
            let (pair, renewed) = (try files.make("server", name: "old"), try files.make("renewed", name: "new"))
            let acceptor = TLSAcceptor(try TLSContext(TLSSettings(certificate: pair.certificate, key: pair.key)))
            try await LiveServer.run(tls: acceptor) { server in
                let old = try Client(server.address, tls: .init())
                old.send(Self.post)
                #expect(old.receive(answers: 1) == .answered)
                #expect(old.tls?.serverCertificate?.commonName == "old")

                try files.replace(pair, with: renewed)
                acceptor.adopt(try TLSContext(TLSSettings(certificate: pair.certificate, key: pair.key)))
                #expect(try Client(server.address, tls: .init()).tls?.serverCertificate?.commonName == "new")
                old.send(Self.post)
                #expect(old.receive(answers: 2) == .answered)
            }
        }
    }
}

/// A listener that speaks TLS, and the handshakes that failed.
private enum TLSRig {
    final class Failures: Sendable {
        private let kept = Mutex<[HandshakeFailure]>([])
        var reasons: [HandshakeFailure.Reason] { kept.withLock { $0.map(\.reason) } }
        func add(_ failure: HandshakeFailure) { kept.withLock { $0.append(failure) } }
    }

    static func run(
        _ responder: any Responder = CorpusServer(), limits: ListenerLimits = .patient,
        configure: (inout TLSSettings, TestCertificates) throws -> Void = { _, _ in },
        _ body: (LiveServer, Failures) async throws -> Void
    ) async throws {
        let files = try TestCertificates()
        let pair = try files.make("server")
        var settings = TLSSettings(certificate: pair.certificate, key: pair.key)
        try configure(&settings, files)
        let failures = Failures()
        let acceptor = TLSAcceptor(try TLSContext(settings)) { failure, _ in failures.add(failure) }
        try await LiveServer.run(responder, limits: limits, tls: acceptor) { server in
            var server = server
            server.tls = TLSClient.Settings()
            try await body(server, failures)
        }
    }
}

/// Answers with more than a socket buffer takes.
private struct Large: Responder {
    static let bytes = 8_000_000

    func respond(to request: Request) async -> Response {
        Response(status: 200, body: [UInt8](repeating: UInt8(ascii: "x"), count: Self.bytes))
    }
}
