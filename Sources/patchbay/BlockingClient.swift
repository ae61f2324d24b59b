import EventLoop
import Glibc
import Relay

/// A client as simple as HTTP allows: one request a connection, read to its end. For the demo's samples, and for
/// commands that ask a running node.
struct BlockingClient {
    let address: SocketAddress
    /// For each piece of the answer to arrive; whole seconds.
    var patience = 30

    struct Answer {
        let status: Int
        let body: String
    }

    func send(_ method: String, _ target: String, headers: [(String, String)] = [], body: String = "") throws -> Answer
    {
        var request = "\(method) \(target) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        if !body.isEmpty { request += "Content-Length: \(body.utf8.count)\r\n" }
        let descriptor = try ConnectedSocket.connect(to: address)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try write(Array((request + "\r\n" + body).utf8), to: descriptor)
        return try Self.parse(try readAll(descriptor))
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw SystemError("send") }
            sent += count
        }
    }

    private func readAll(_ descriptor: Int32) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("recv") }
            bytes += buffer.prefix(count)
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, text.hasPrefix("HTTP/1.1 "),
            let status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)),
            // A process that ends in the middle of an answer ends its connection, too.
            isWhole(String(parts[1]), head: parts[0])
        else { throw SystemError("recv", code: EPROTO) }
        return Answer(status: status, body: String(parts[1]))
    }

    private static func isWhole(_ body: String, head: Substring) -> Bool {
        let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        guard let length else { return true }
        return Int(length.dropFirst("content-length:".count).trimmingBlanks) == body.utf8.count
    }
}
