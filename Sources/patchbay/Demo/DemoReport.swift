import EventLoop
import Foundation
import Relay
import Sandbox

/// What the demo shows: what became of each sample, and what the sandbox holds in the end.
struct DemoReport {
    private var rows: [[String]] = []
    /// Every sample was answered 200.
    private(set) var isComplete = true

    init(posting samples: [DemoSample], to relay: SocketAddress, token: String) throws {
        let client = BlockingClient(address: relay)
        for sample in samples {
            let query = sample.query.isEmpty ? "token=\(token)" : "\(sample.query)&token=\(token)"
            let headers = sample.contentType.isEmpty ? [] : [("Content-Type", sample.contentType)]
            let answer = try client.send(
                sample.method, "/hooks/\(sample.vendor)?\(query)", headers: headers, body: sample.body)
            isComplete = isComplete && answer.status == 200
            rows.append([sample.vendor, sample.what, sample.method, String(answer.status), Self.words(answer.body)])
        }
    }

    /// An answer in words. A vendor with a dialect of its own is answered in that.
    private static func words(_ body: String) -> String {
        let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        let counts = ["accepted", "unchanged", "skipped"].compactMap { name -> String? in
            guard let count = object?[name] as? Int, count > 0 else { return nil }
            return "\(count) \(name)"
        }
        return counts.isEmpty ? body : counts.joined(separator: ", ")
    }

    var accepted: String {
        Self.table(["vendor", "webhook", "method", "status", "answer"], rows) + "\n"
    }

    func held(by sandbox: Sandbox) -> String {
        var rows: [[String]] = []
        for profile in sandbox.contents {
            var name = "\(profile.profile.key) \(profile.profile.value)"
            for (identifier, value) in profile.identifiers.fields {
                if case .text(let text) = value { rows.append([name, identifier.name, text]) }
                name = ""
            }
        }
        return """
            \(self.rows.count) webhooks were merged into \(sandbox.requestCount) requests to the sandbox, \
            which now holds \(rows.count) identifiers of \(sandbox.contents.count) profiles:

            \(Self.table(["profile", "identifier", "value"], rows))
            """
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([head, rule] + rows).map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
