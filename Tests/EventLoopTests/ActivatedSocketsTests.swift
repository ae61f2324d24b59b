import Glibc
import Testing

@testable import EventLoop

@Suite("Sockets that a service manager passes", .serialized)
struct ActivatedSocketsTests {
    /// As systemd does: sockets on consecutive descriptors.
    private final class Passed {
        let sockets: [ListeningSocket]
        let first: Int32

        init(_ count: Int32) throws {
            let loopback = try #require(SocketAddress("127.0.0.1:0"))
            sockets = try (0..<count).map { _ in try ListeningSocket(loopback) }
            first = 900
            for (place, socket) in sockets.enumerated() { dup2(socket.descriptor, first + Int32(place)) }
        }

        deinit {
            for place in sockets.indices { close(first + Int32(place)) }
        }
    }

    @Test("are found by the address at which they listen, as often as they are asked for")
    func found() throws {
        let passed = try Passed(2)
        let activated = ActivatedSockets(count: "2", for: String(getpid()), first: passed.first)
        #expect(activated.addresses == passed.sockets.map(\.address))
        let address = passed.sockets[1].address
        let ours = [try activated.socket(at: address), try activated.socket(at: address)].compactMap { $0 }
        #expect(ours.count == 2 && Set(ours.map(\.descriptor)).count == 2)
        #expect(try activated.socket(at: #require(SocketAddress("127.0.0.1:1"))) == nil)

        let client = try ConnectedSocket.connect(to: address)
        defer { close(client) }
        // Whichever asks first has it; the other finds nobody, and does not wait.
        let accepted = ours.map { socket in
            if case .connection = socket.accept() { true } else { false }
        }
        #expect(accepted == [true, false])
    }

    @Test("who connects while nobody accepts is kept waiting, not refused")
    func waits() throws {
        let passed = try Passed(1)
        let activated = ActivatedSockets(count: "1", for: String(getpid()), first: passed.first)
        let address = passed.sockets[0].address
        // The last of ours is gone, as when a process ends.
        do { _ = try activated.socket(at: address) }
        let client = try ConnectedSocket.connect(to: address)
        defer { close(client) }
        let next = try #require(try activated.socket(at: address))
        guard case .connection = next.accept() else {
            Issue.record("nobody waits")
            return
        }
    }

    @Test(
        "what is not for this process, or is no number, is left alone",
        arguments: ["0", "-1", "x", "65", "99999999999", nil] as [String?])
    func others(count: String?) throws {
        let passed = try Passed(1)
        let pid = String(getpid())
        #expect(ActivatedSockets(count: count, for: pid, first: passed.first).addresses.isEmpty)
        for other in ["1", nil] {
            #expect(ActivatedSockets(count: "1", for: other, first: passed.first).addresses.isEmpty)
        }
    }

    @Test("a descriptor that is no listening socket is passed over")
    func noSocket() throws {
        let passed = try Passed(1)
        let null = open("/dev/null", O_RDONLY)
        dup2(null, passed.first + 1)
        close(null)
        defer { close(passed.first + 1) }
        let activated = ActivatedSockets(count: "3", for: String(getpid()), first: passed.first)
        #expect(activated.addresses == [passed.sockets[0].address])
    }
}
