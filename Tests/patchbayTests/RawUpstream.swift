import Foundation

/// Accepts connections and answers each with these bytes; with nil it never answers.
final class RawUpstream: Sendable {
    private let descriptor: Int32
    let address: String

    init(_ answer: String?, closesAtOnce: Bool = false) throws {
        (descriptor, address) = try Self.listen()
        let listening = descriptor
        Thread.detachNewThread {
            var open: [Int32] = []
            while true {
                let connection = accept(listening, nil, nil)
                guard connection >= 0 else { break }
                open.append(connection)
                if closesAtOnce { close(open.removeLast()) }
                guard let answer else { continue }
                var buffer = [UInt8](repeating: 0, count: 65536)
                _ = recv(connection, &buffer, buffer.count, 0)
                _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
                close(open.removeLast())
            }
            for connection in open { close(connection) }
        }
    }

    /// A socket that listens on a port of the kernel's choice.
    static func listen() throws -> (descriptor: Int32, address: String) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isListening else { throw RunningPatchbay.Failure("listen: \(errno)") }
        return (descriptor, "127.0.0.1:\(UInt16(bigEndian: name.sin_port))")
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}
