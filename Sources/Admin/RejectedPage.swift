import Relay

/// `GET /rejected`: the requests that were refused of late, one JSON line for each kind, the latest first; or, with
/// `as=text`, a table for people.
///
/// | parameter | is |
/// |---|---|
/// | `source` | the source's or client key's name |
/// | `cause`, `status` | as in the record |
/// | `since` | how far back: `90s`, `10m`, `2h` or `1d` |
/// | `limit` | how many kinds at most |
struct RejectedPage {
    let rejections: Rejections

    func answer(_ query: String, now: Timestamp) -> Response {
        do throws(Refusal) {
            var filter = RejectionFilter()
            var isText = false
            for (name, value) in try Self.parameters(query) {
                switch name {
                case "source": filter.caller = value
                case "cause": filter.cause = value
                case "status": filter.status = try Self.number(value, name)
                case "limit": filter.limit = try Self.number(value, name)
                case "since": filter.since = now + (.zero - (try Self.age(value)))
                case "as":
                    guard value == "text" || value == "json" else { throw .invalid("as must be text or json.") }
                    isText = value == "text"
                default: throw .invalid("There is source, cause, status, since, limit and as; nothing else.")
                }
            }
            let recent = rejections.recent(filter)
            return isText ? .text(200, table(recent)) : lines(recent)
        } catch {
            return Response(error)
        }
    }

    // MARK: The query

    private static func parameters(_ query: String) throws(Refusal) -> [(String, String)] {
        var parameters: [(String, String)] = []
        for parameter in query.split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = parts[1].percentDecoded else {
                throw .invalid("A parameter is a name, =, and a value that is percent-encoded.")
            }
            parameters.append((String(parts[0]), value))
        }
        return parameters
    }

    private static func number(_ text: String, _ name: String) throws(Refusal) -> Int {
        guard let number = Int(text), (1...1_000_000).contains(number) else {
            throw .invalid("\(name) must be a whole number from 1.")
        }
        return number
    }

    private static func age(_ text: String) throws(Refusal) -> Duration {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let last = text.last, let unit = units[last], let count = Int(text.dropLast()),
            (1...1_000_000).contains(count)
        else { throw .invalid("since must be a time such as 90s, 10m, 2h or 1d.") }
        return .seconds(count * unit)
    }

    // MARK: JSON lines

    private func lines(_ recent: [Rejection]) -> Response {
        var json = JSONText(reserving: 1024)
        for rejection in recent {
            json.object { write(rejection, to: &$0) }
            json.newline()
        }
        return Response(status: 200, headers: [Field("Content-Type", "application/x-ndjson")], body: json.bytes)
    }

    private func write(_ rejection: Rejection, to json: inout JSONText) {
        let kind = rejection.kind
        json.field("route", kind.route)
        json.field("source", kind.caller)
        json.field("app", kind.app)
        json.field("status", kind.status)
        json.field("error_code", kind.code)
        json.field("cause", kind.cause)
        json.field("count", rejection.count)
        json.field("first", rejection.first.description)
        json.field("last", rejection.last.description)
        json.array("senders") { json in
            for sender in rejection.latestSenders {
                json.object { json in
                    json.field("client", sender.address.description)
                    json.field("count", sender.count)
                    json.field("first", sender.first.description)
                    json.field("last", sender.last.description)
                    sender.request.write(to: &json)
                    json.field("hint", rejections.hint(for: rejection, sender))
                }
            }
        }
    }

    // MARK: The table

    private func table(_ recent: [Rejection]) -> String {
        var text = "Refused since this node started, \(rejections.started.toTheSecond); kept in memory only.\n"
        if recent.isEmpty { return text + "Nothing.\n" }
        text += "\n"
        let head = ["LAST", "TIMES", "SOURCE", "STATUS", "CODE", "CAUSE", "ROUTE"]
        let rows = recent.map { rejection in
            let kind = rejection.kind
            return [
                rejection.last.toTheSecond, String(rejection.count), kind.caller, String(kind.status), kind.code,
                kind.cause, kind.route,
            ].map { $0.isEmpty ? "-" : $0 }
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()) + "\n"
        }
        text += line(head)
        for (rejection, row) in zip(recent, rows) {
            text += line(row)
            for sender in rejection.latestSenders {
                text += "    \(sender.address), \(sender.count == 1 ? "once" : "\(sender.count) times"), "
                text += "last \(sender.last.toTheSecond): \(sender.request.summary)\n"
                text += "    -> \(rejections.hint(for: rejection, sender))\n"
            }
        }
        return text
    }
}

extension Rejection {
    fileprivate var latestSenders: [Sender] { senders.sorted { $0.last > $1.last } }
}

extension RefusedRequest {
    fileprivate func write(to json: inout JSONText) {
        json.field("id", id.description)
        json.field("request_id", requestID)
        if let method { json.field("method", method.rawValue) }
        if let type = shape.contentType { json.field("content_type", type) }
        json.array("fields") { json in
            for field in shape.fields { json.element(field) }
        }
        json.field("other_fields", shape.otherFields)
        json.field("body_bytes", bodyBytes)
        if let digest = evidence.bodyDigest { json.field("body_sha256", digest) }
        if let key = evidence.keyID { json.field("key_id", key) }
        if let presented = evidence.presentedBytes { json.field("presented_bytes", presented) }
        if !evidence.expectedBytes.isEmpty {
            json.array("expected_bytes") { json in
                for count in evidence.expectedBytes { json.element(count) }
            }
        }
        if let skew = evidence.skew { json.field("skew_ms", skew.milliseconds) }
        if let tolerance = evidence.tolerance { json.field("tolerance_ms", tolerance.milliseconds) }
        if !message.isEmpty { json.field("message", message) }
        if !detail.isEmpty { json.field("detail", detail) }
        if !keys.isEmpty { json.array("keys") { json in for key in keys { json.element(key) } } }
    }

    /// On one line, what helps most first.
    fileprivate var summary: String {
        var parts = [method?.rawValue ?? "no request"]
        if let key = evidence.keyID { parts.append("key \(key)") }
        if let presented = evidence.presentedBytes { parts.append("credential of \(presented) bytes") }
        if let skew = evidence.skew { parts.append("time off by \(skew.milliseconds / 1000) s") }
        parts.append("body of \(bodyBytes) bytes" + (evidence.bodyDigest.map { ", SHA-256 \($0)" } ?? ""))
        if let type = shape.contentType { parts.append(type) }
        if !shape.fields.isEmpty { parts.append("fields " + shape.fields.joined(separator: " ")) }
        parts.append("id \(id)")
        return parts.joined(separator: ", ")
    }
}

extension Timestamp {
    /// `2026-10-14T08:21:43Z`
    fileprivate var toTheSecond: String { description.prefix(19) + "Z" }
}

extension Substring {
    /// RFC 3986 section 2.1; nil for a `%` without two hexadecimal digits, and for what is no UTF-8.
    fileprivate var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
