import Foundation

/// One keep-alive connection, used by one task at a time.
final class TestClient {
    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: NSDictionary? { (try? JSONSerialization.jsonObject(with: Data(body))) as? NSDictionary }
    }

    private let descriptor: Int32
    private let host: String
    private var buffer: [UInt8] = []

    /// - Parameter address: `127.0.0.1:8080`.
    init(_ address: String, timeout: Int = 30) throws {
        host = address
        let parts = address.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { throw RunningPatchbay.Failure("not an address") }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, String(parts[0]), &name.sin_addr)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // `deinit` closes it, here as well: closed twice, it may be another test's by then.
        guard status == 0 else { throw RunningPatchbay.Failure("connect \(address): \(errno)") }
    }

    deinit {
        close(descriptor)
    }

    func send(
        _ method: String, _ target: String, _ headers: [String: String] = [:], body: String = ""
    ) throws -> Answer {
        try send(method, target, headers, bytes: Array(body.utf8))
    }

    func send(_ method: String, _ target: String, _ headers: [String: String], bytes: [UInt8]) throws -> Answer {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !bytes.isEmpty || method == "POST" { head += "Content-Length: \(bytes.count)\r\n" }
        try write(Array((head + "\r\n").utf8) + bytes)
        return try readAnswer(to: method)
    }

    func post(_ target: String, _ body: String, _ headers: [String: String] = [:]) throws -> Answer {
        try send("POST", target, ["Content-Type": "application/json"].merging(headers) { $1 }, body: body)
    }

    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw RunningPatchbay.Failure("send: \(errno)") }
            sent += count
        }
    }

    func readAnswer(to method: String = "POST") throws -> Answer {
        let mark = Array("\r\n\r\n".utf8)
        var end = find(mark)
        while end == nil {
            try fill()
            end = find(mark)
        }
        guard let end else { throw RunningPatchbay.Failure("no head") }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        buffer.removeFirst(end + mark.count)
        guard let status = lines.first.flatMap({ Int($0.split(separator: " ")[1]) }) else {
            throw RunningPatchbay.Failure("no status line")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        let length = method == "HEAD" ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length { try fill() }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return Answer(status: status, headers: headers, body: body)
    }

    private func find(_ mark: [UInt8]) -> Int? {
        guard buffer.count >= mark.count else { return nil }
        return (0...(buffer.count - mark.count)).first { buffer[$0..<($0 + mark.count)].elementsEqual(mark) }
    }

    private func fill() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw RunningPatchbay.Failure(count == 0 ? "closed" : "recv: \(errno)") }
        buffer += chunk.prefix(count)
    }

    /// Posts from several connections at once, each body once. Returns how often each status was answered; 0 for none.
    static func postAll(
        _ address: String, _ target: String, connections: Int = 8, count: Int,
        headers: [String: String] = [:], body: @escaping @Sendable (Int) -> String
    ) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: [Int: Int].self) { group in
            for lane in 0..<connections {
                group.addTask {
                    try await onThread {
                        var statuses: [Int: Int] = [:]
                        var client = try? TestClient(address)
                        for index in stride(from: lane, to: count, by: connections) {
                            let status = (try? client?.post(target, body(index), headers).status) ?? 0
                            statuses[status, default: 0] += 1
                            if status == 0 { client = try? TestClient(address) }
                        }
                        return statuses
                    }
                }
            }
            return try await group.reduce(into: [:]) { all, lane in all.merge(lane) { $0 + $1 } }
        }
    }

    /// Blocking work off the tasks' few threads.
    static func onThread<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Swift.Result { try work() })
            }
        }
    }
}
