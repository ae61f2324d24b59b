import Glibc
import Testing

@testable import EventLoop

@Suite("Sockets that a service manager passes")
struct ActivatedSocketsTests {
    private static func sockets(_ count: Int) throws -> [ListeningSocket] {
        let loopback = try #require(SocketAddress("127.0.0.1:0"))
        return try (0..<count).map { _ in try ListeningSocket(loopback) }
    }

    @Test("are found by the address at which they listen, as often as they are asked for")
    func found() throws {
        let passed = try Self.sockets(2)
        let activated = ActivatedSockets(passed.map(\.descriptor))
        #expect(activated.addresses == passed.map(\.address))
        let address = passed[1].address
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
        let passed = try Self.sockets(1)
        let activated = ActivatedSockets(passed.map(\.descriptor))
        let address = passed[0].address
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
    func others(count: String?) {
        #expect(ActivatedSockets.passed(count: count, to: String(getpid())).isEmpty)
    }

    @Test("the descriptors begin behind the standard ones, for the process that is named")
    func ours() {
        #expect(ActivatedSockets.passed(count: "2", to: String(getpid())) == 3..<5)
        #expect(ActivatedSockets.passed(count: "2", to: "1").isEmpty)
        #expect(ActivatedSockets.passed(count: "2", to: nil).isEmpty)
    }

    @Test("a descriptor that is no listening socket is passed over")
    func noSocket() throws {
        let passed = try Self.sockets(1)
        let null = open("/dev/null", O_RDONLY)
        defer { close(null) }
        #expect(ActivatedSockets([null, passed[0].descriptor]).addresses == [passed[0].address])
    }
}
