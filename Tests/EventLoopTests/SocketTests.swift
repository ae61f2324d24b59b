import EventLoop
import Glibc
import Testing

@Suite("Sockets", .timeLimit(.minutes(1)))
struct SocketTests {
    // MARK: Addresses

    @Test(
        "an address is a numeric host and a port",
        arguments: [
            ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("0.0.0.0:0", "0.0.0.0", 0, false),
            ("localhost:80", "127.0.0.1", 80, true), ("[::1]:65535", "::1", 65535, true),
            ("[2001:db8::1]:443", "2001:db8::1", 443, false), ("10.1.2.3:1", "10.1.2.3", 1, false),
        ])
    func reads(_ text: String, _ host: String, _ port: UInt16, _ isLoopback: Bool) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
        #expect(SocketAddress(address.description) == address)
    }

    @Test(
        "what is none is refused",
        arguments: [
            "", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:a", "::1:80",
            "[127.0.0.1]:80", "[::1]", "example.com:80", "1.2.3:80", "[::1:80", "1.2.3.256:80",
            "[::ffff:127.0.0.1]:80",
        ])
    func refuses(_ text: String) {
        #expect(SocketAddress(text) == nil)
    }

    // MARK: Listening

    @Test("port 0 becomes the kernel's choice, also on IPv6", arguments: ["127.0.0.1:0", "[::1]:0"])
    func anyPort(_ text: String) throws {
        let address = try #require(SocketAddress(text))
        let socket = try ListeningSocket(address)
        #expect(socket.address.port > 0)
        #expect(socket.address.host == address.host)
    }

    @Test("an address that is not ours is an error that says which call and which address")
    func cannotBind() throws {
        let address = try #require(SocketAddress("192.0.2.1:1"))
        let error = #expect(throws: SystemError.self) { try ListeningSocket(address) }
        #expect(error?.call == "bind 192.0.2.1:1")
        #expect(error?.code == EADDRNOTAVAIL)
    }

    @Test("an address is free until somebody listens there, and again when nobody does", .timeLimit(.minutes(1)))
    func isFree() throws {
        var socket: ListeningSocket? = try ListeningSocket(try #require(SocketAddress("127.0.0.1:0")))
        let address = try #require(socket).address
        let error = #expect(throws: SystemError.self) { try ListeningSocket.checkIsFree(address) }
        #expect(error?.code == EADDRINUSE && error?.call == "bind \(address)")
        // A connection that goes on after its listener keeps nobody from the port.
        let client = try connect(to: address)
        defer { close(client) }
        guard case .connection(let accepted) = socket?.accept() else {
            Issue.record("no connection")
            return
        }
        socket = nil
        try ListeningSocket.checkIsFree(address)
        _ = try ListeningSocket(address)
        #expect(accepted.descriptor >= 0)
    }

    @Test("several sockets share one address, and between them get every connection")
    func shares() throws {
        let first = try ListeningSocket(try #require(SocketAddress("127.0.0.1:0")))
        let second = try ListeningSocket(first.address)
        #expect(second.address == first.address)
        let clients = try (0..<64).map { _ in try connect(to: first.address) }
        defer { for client in clients { close(client) } }
        let counts = [first, second].map { socket in
            var count = 0
            while case .connection = socket.accept() { count += 1 }
            return count
        }
        #expect(counts.reduce(0, +) == 64)
        // 64 hashes that all fall on one side: 2 in 2^64.
        #expect(counts.allSatisfy { $0 > 0 })
    }

    // MARK: Connections

    @Test("a connection moves bytes both ways, says when it would have to wait, and when the other end is done")
    func transfers() throws {
        let listening = try ListeningSocket(try #require(SocketAddress("127.0.0.1:0")))
        let client = try connect(to: listening.address)
        defer { close(client) }
        guard case .connection(let socket) = listening.accept() else {
            Issue.record("nobody came")
            return
        }
        #expect(socket.peer == "127.0.0.1")
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(buffer.withUnsafeMutableBytes { socket.receive(into: $0) }.isWouldBlock)
        _ = send(client, "ping", 4, 0)
        #expect(buffer.withUnsafeMutableBytes { socket.receive(into: $0) }.bytes == 4)
        #expect(Array("pong".utf8).withUnsafeBytes { socket.send($0) }.bytes == 4)
        #expect(recv(client, &buffer, 16, 0) == 4)
        shutdown(client, Int32(SHUT_WR))
        #expect(buffer.withUnsafeMutableBytes { socket.receive(into: $0) }.isEnd)
        socket.finishSending()
        #expect(recv(client, &buffer, 16, 0) == 0)
    }

    @Test("a watch calls back while there is something, and not while it is paused")
    func watches() async throws {
        let listening = try ListeningSocket(try #require(SocketAddress("127.0.0.1:0")))
        let client = try connect(to: listening.address)
        defer { close(client) }
        try await withLoop { loop in
            let calls = Tally()
            let watch = await withCheckedContinuation { continuation in
                loop.execute {
                    let watch = SocketWatch(loop, listening.descriptor, .read) { calls.add() }
                    watch.resume()
                    watch.resume()
                    continuation.resume(returning: OnLoop(watch))
                }
            }
            let clock = LoopClock(loop)
            // Nobody accepts, so the socket stays ready.
            while calls.count < 3 { try await clock.sleep(for: .milliseconds(1)) }
            await withCheckedContinuation { continuation in
                loop.execute {
                    watch.value.pause()
                    continuation.resume()
                }
            }
            let before = calls.count
            try await clock.sleep(for: .milliseconds(10))
            #expect(calls.count == before)
            loop.execute { watch.value.resume() }
            while calls.count == before { try await clock.sleep(for: .milliseconds(1)) }
            loop.execute { watch.value.cancel() }
            await loop.turn()
        }
    }

    private func connect(to address: SocketAddress) throws -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &name.sin_addr)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SystemError("connect") }
        return client
    }
}

extension ConnectedSocket.Transfer {
    fileprivate var bytes: Int? {
        if case .bytes(let count) = self { count } else { nil }
    }

    fileprivate var isWouldBlock: Bool {
        if case .wouldBlock = self { true } else { false }
    }

    fileprivate var isEnd: Bool {
        if case .end = self { true } else { false }
    }
}
