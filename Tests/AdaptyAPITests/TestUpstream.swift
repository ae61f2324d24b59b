import Glibc
import Synchronization

/// An upstream of raw sockets: one thread accepts, one a connection reads whole requests and answers as its script
/// says.
final class TestUpstream: Sendable {
    struct Seen: Sendable {
        /// Which connection it came over, from 0.
        let connection: Int
        /// Which request it is of all, from 0.
        let number: Int
        /// The head as it came, without the empty line at its end.
        let head: String
        let body: String

        var lines: [String] { head.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init) }

        func values(of name: String) -> [String] {
            lines.dropFirst().compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].lowercased() == name.lowercased() else { return nil }
                return String(parts[1].drop { $0 == " " })
            }
        }
    }

    enum Step: Sendable {
        case send(String)
        case sendBytes([UInt8])
        case pause(milliseconds: UInt32)
        /// Until as many requests have been read in all.
        case waitForRequests(Int)
        /// Until `release`.
        case hold
        case close
        case reset
    }

    typealias Script = @Sendable (Seen) -> [Step]

    private struct State {
        var requests: [Seen] = []
        var connections = 0
        var open = 0
        var mostOpen = 0
        var isReleased = false
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let script: Script
    private let state = Mutex(State())

    init(_ script: @escaping Script) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { [listener] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size)
                listen(listener, 1024)
                getsockname(listener, $0, &size)
            }
            return UInt16(bigEndian: address.pointee.sin_port)
        }
        guard port != 0 else { throw Failed() }
        startThread { self.accept() }
    }

    struct Failed: Error {}

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Seen] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }
    var openConnections: Int { state.withLock { $0.open } }
    var mostOpenConnections: Int { state.withLock { $0.mostOpen } }

    func release() {
        state.withLock { $0.isReleased = true }
    }

    func stop() {
        state.withLock {
            $0.isStopped = true
            $0.isReleased = true
        }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            let number = state.withLock { state in
                state.connections += 1
                state.open += 1
                state.mostOpen = max(state.mostOpen, state.open)
                return state.connections - 1
            }
            startThread {
                self.serve(descriptor, number)
                self.state.withLock { $0.open -= 1 }
                close(descriptor)
            }
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32, _ connection: Int) {
        var buffer: [UInt8] = []
        while let (head, body) = readRequest(descriptor, &buffer) {
            let seen = state.withLock { state in
                let seen = Seen(connection: connection, number: state.requests.count, head: head, body: body)
                state.requests.append(seen)
                return seen
            }
            for step in script(seen) {
                guard perform(step, on: descriptor) else { return }
            }
        }
    }

    /// False when the connection shall end.
    private func perform(_ step: Step, on descriptor: Int32) -> Bool {
        switch step {
        case .send(let text): return sendAll(Array(text.utf8), descriptor)
        case .sendBytes(let bytes): return sendAll(bytes, descriptor)
        case .pause(let milliseconds):
            usleep(milliseconds * 1000)
        case .waitForRequests(let count):
            while !state.withLock({ $0.requests.count >= count || $0.isStopped }) { usleep(20_000) }
        case .hold:
            while !state.withLock({ $0.isReleased }) { usleep(10_000) }
        case .close:
            return false
        case .reset:
            // No lingering: the kernel drops what is unsent and says RST.
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            return false
        }
        return true
    }

    private func sendAll(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func readRequest(_ descriptor: Int32, _ buffer: inout [UInt8]) -> (head: String, body: String)? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let place = buffer.firstRange(of: end) {
                let head = String(decoding: buffer[..<place.lowerBound], as: UTF8.self)
                let length =
                    head.split(separator: "\r\n")
                    .first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) } ?? 0
                if buffer.count >= place.upperBound + length {
                    let body = buffer[place.upperBound..<place.upperBound + length]
                    defer { buffer.removeFirst(place.upperBound + length) }
                    return (head, String(decoding: body, as: UTF8.self))
                }
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            buffer += chunk.prefix(count)
        }
    }
}

extension Collection<UInt8> {
    func firstRange(of needle: [UInt8]) -> Range<Index>? {
        var start = startIndex
        while start != endIndex {
            if self[start...].starts(with: needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// A detached thread. A test's server must not wait on the pool that the code under test runs on.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            // Balances passRetained below.
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}

/// `HTTP/1.1` answers, framed.
func http(_ status: Int, _ body: String = "", _ headers: String...) -> TestUpstream.Step {
    let lines = ["HTTP/1.1 \(status) x", "Content-Length: \(body.utf8.count)"] + headers
    return .send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
}

func json(_ status: Int, _ code: String, _ message: String = "No.") -> TestUpstream.Step {
    http(
        status, #"{"errors":["\#(message)"],"error_code":"\#(code)","status_code":\#(status)}"#,
        "Content-Type: application/json")
}

/// A port where nobody listens: one that was ours a moment ago.
func closedPort() throws -> UInt16 {
    let upstream = try TestUpstream { _ in [] }
    upstream.stop()
    // The listener closes in a thread of its own.
    while canConnect(to: upstream.port) { usleep(1000) }
    return upstream.port
}

func canConnect(to port: UInt16) -> Bool {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(probe) }
    var address = TestUpstream.loopback(port)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(probe, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
