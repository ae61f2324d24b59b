import EventLoop
import Glibc

/// A blocking client that can do what no HTTP library would.
final class Client {
    struct Answer: Equatable {
        let status: Int
        let fields: [String: String]
        let body: String
    }

    enum End: Equatable {
        /// The server closed.
        case closed
        /// The server reset the connection.
        case reset
        /// Nothing came for as long as was waited.
        case quiet
        /// As many answers as were waited for.
        case answered
    }

    private(set) var received: [UInt8] = []
    /// Nil where it speaks plainly.
    private(set) var tls: TLSClient?
    private let descriptor: Int32

    /// - Parameters:
    ///   - receiveBuffer: bytes the kernel shall keep for a reader that is slow; nil for its default.
    ///   - tls: how it speaks TLS; nil for plainly.
    init(_ address: SocketAddress, receiveBuffer: Int32? = nil, tls: TLSClient.Settings? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &name.sin_addr)
        let connected = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw SystemError("connect \(address)") }
        if let tls { try beginTLS(tls) }
    }

    func beginTLS(_ settings: TLSClient.Settings) throws {
        let tls = try TLSClient(descriptor, settings)
        try tls.shakeHands()
        self.tls = tls
    }

    deinit {
        close(descriptor)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends all, or what the server takes before it closes.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                tls?.send($0) ?? Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Sends until the server takes no more for a while. How many bytes it took.
    func sendUntilBlocked(_ bytes: [UInt8], atMost limit: Int, patience: Duration) -> Int {
        var sent = 0
        while sent < limit, isReady(Int16(POLLOUT), within: patience) {
            let offset = sent % bytes.count
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    func finishSending() {
        tls?.finishSending()
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the close a reset.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Reads until there are `count` answers in all, the server ends, or nothing has come for `patience`.
    @discardableResult
    func receive(answers count: Int = .max, methods: [String] = [], patience: Duration = .seconds(10)) -> End {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while count == .max || answers(to: methods).count < count {
            guard tls?.holdsBytes == true || isReady(Int16(POLLIN), within: patience) else { return .quiet }
            guard let read = tls.map({ $0.receive(&buffer) }) ?? recv(descriptor, &buffer, buffer.count, 0) else {
                continue
            }
            guard read != 0 else { return .closed }
            guard read > 0 else { return .reset }
            received += buffer[..<read]
        }
        return .answered
    }

    /// The whole answers that have come.
    func answers(to methods: [String] = []) -> [Answer] {
        parse(methods).answers
    }

    /// What has come behind the last whole answer.
    func rest(methods: [String] = []) -> [UInt8] {
        Array(received[parse(methods).end...])
    }

    private func parse(_ methods: [String]) -> (answers: [Answer], end: Int) {
        var answers: [Answer] = []
        var final = 0
        var start = 0
        while let end = headEnd(from: start) {
            let lines = String(decoding: received[start..<end], as: UTF8.self).split(separator: "\r\n")
            guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3))
            else { break }
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            let method = methods.indices.contains(final) ? methods[final] : "POST"
            let length = method == "HEAD" || status < 200 ? 0 : Int(fields["content-length"] ?? "") ?? 0
            guard end + 4 + length <= received.count else { break }
            let body = String(decoding: received[end + 4..<end + 4 + length], as: UTF8.self)
            answers.append(Answer(status: status, fields: fields, body: body))
            if status >= 200 { final += 1 }
            start = end + 4 + length
        }
        return (answers, start)
    }

    private func headEnd(from start: Int) -> Int? {
        var index = start
        while index + 4 <= received.count {
            if received[index] == 13, received[index + 1] == 10, received[index + 2] == 13, received[index + 3] == 10 {
                return index
            }
            index += 1
        }
        return nil
    }

    private func isReady(_ events: Int16, within patience: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return poll(&entry, 1, Int32(patience / .milliseconds(1))) > 0
    }
}
