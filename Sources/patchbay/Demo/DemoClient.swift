import EventLoop
import Glibc

/// A client as simple as HTTP allows: one request a connection, read to its end. What the demo posts its samples with.
struct DemoClient {
    let address: SocketAddress

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
            guard count > 0 else { throw SystemError("recv") }
            bytes += buffer.prefix(count)
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)) else {
            throw SystemError("recv", code: EPROTO)
        }
        return Answer(status: status, body: String(parts[1]))
    }
}
