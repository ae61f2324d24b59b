import Foundation
import Synchronization

/// An upstream that answers each request as a test wants it to, on connections that stay open.
final class ScriptedUpstream: Sendable {
    struct Asked: Sendable {
        let user: String
        let body: String
        /// How many requests of this user there were before.
        let number: Int
    }

    struct Answer: Sendable {
        var status = 200
        var body = ""
        var type = "application/json"
        /// Nobody is answered before.
        var delay = Duration.zero

        static let ok = Answer()
        static let firewall = Answer(status: 403, body: "<html>Attention Required</html>", type: "text/html")

        static func error(_ status: Int, _ code: String, _ errors: String = #"["no"]"#) -> Answer {
            Answer(status: status, body: #"{"errors":\#(errors),"error_code":"\#(code)","status_code":\#(status)}"#)
        }
    }

    private struct State {
        var requests: [Asked] = []
        var applied: [String: [String: String]] = [:]
    }

    private let descriptor: Int32
    let address: String
    private let state = Mutex(State())

    init(_ answer: @escaping @Sendable (Asked) -> Answer) throws {
        (descriptor, address) = try RawUpstream.listen()
        let listening = descriptor
        Thread.detachNewThread { [weak self] in
            while case let connection = accept(listening, nil, nil), connection >= 0 {
                Thread.detachNewThread { [weak self] in
                    while let (user, body) = Self.read(connection), let asked = self?.note(user, body) {
                        let said = answer(asked)
                        if said.delay > .zero { Thread.sleep(forTimeInterval: said.delay / .seconds(1)) }
                        // Applied as late as it is answered, also where nobody waits for the answer any more.
                        if said.status == 200, said.type == "application/json", !said.body.contains("errors") {
                            self?.apply(body, of: user)
                        }
                        let text =
                            "HTTP/1.1 \(said.status) x\r\nContent-Type: \(said.type)\r\n"
                            + "Content-Length: \(said.body.utf8.count)\r\n\r\n\(said.body)"
                        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
                    }
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    var requests: [Asked] { state.withLock { $0.requests } }
    func requests(of user: String) -> [String] { requests.filter { $0.user == user }.map(\.body) }
    func held(_ user: String) -> [String: String]? { state.withLock { $0.applied[user] } }

    private func note(_ user: String, _ body: String) -> Asked {
        state.withLock { state in
            let number = state.requests.count { $0.user == user }
            state.requests.append(Asked(user: user, body: body, number: number))
            return state.requests[state.requests.count - 1]
        }
    }

    private func apply(_ body: String, of user: String) {
        let fields = (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: String] ?? [:]
        state.withLock { $0.applied[user, default: [:]].merge(fields) { $1 } }
    }

    /// One request; nil when the connection has ended. The relay sends none before the last was answered.
    private static func read(_ connection: Int32) -> (user: String, body: String)? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let lines = text[..<end.lowerBound].split(separator: "\r\n")
                func value(_ name: String) -> String {
                    lines.first { $0.lowercased().hasPrefix(name + ":") }.map { line in
                        line.split(separator: ":", maxSplits: 1).last.map {
                            $0.trimmingCharacters(in: .whitespaces)
                        } ?? ""
                    } ?? ""
                }
                let body = text[end.upperBound...]
                if body.utf8.count >= Int(value("content-length")) ?? 0 {
                    return (value("adapty-customer-user-id"), String(body))
                }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk.prefix(count)
        }
    }
}
