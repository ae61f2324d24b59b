import Relay

/// The ways in which a body can be written, from its content type and, where that says nothing, from how it begins.
enum BodyFormat: Equatable {
    case json
    /// One JSON document a line.
    case lines
    case form

    static func of(_ request: Request) throws(Refusal) -> BodyFormat {
        // By bytes, not through `contentType`: text of Swift's costs more than the rest of this for every request.
        let header = request.headers.value(of: "content-type") ?? []
        let type = header.prefix { $0 != UInt8(ascii: ";") }
        return try type.withUnsafeBufferPointer { type throws(Refusal) in
            let type = type.trimmingBlanks
            if types.json.contains(where: { type.equals($0) }) { return .json }
            // A form never begins with a bracket; what does is JSON from somebody whose client names it a form unasked.
            if types.form.contains(where: { type.equals($0) }) { return isBracketed(request.body) ? .json : .form }
            if types.lines.contains(where: { type.equals($0) }) { return .lines }
            // What browsers, and people with curl, send when they say nothing.
            if type.isEmpty || types.any.contains(where: { type.equals($0) }) { return sniff(request.body) }
            let suffix = UnsafeBufferPointer(rebasing: type.suffix(types.plusJSON.count))
            guard type.begins(with: types.application), suffix.equals(types.plusJSON) else {
                throw .unsupportedMediaType
            }
            return .json
        }
    }

    private static let types = (
        json: ["application/json", "text/json"].map { Array($0.utf8) },
        lines: ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]
            .map { Array($0.utf8) },
        form: ["application/x-www-form-urlencoded"].map { Array($0.utf8) },
        any: ["text/plain"].map { Array($0.utf8) },
        application: Array("application/".utf8), plusJSON: Array("+json".utf8)
    )

    private static func isBracketed(_ body: [UInt8]) -> Bool {
        let first = body.first { !$0.isBlank }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    private static func sniff(_ body: [UInt8]) -> BodyFormat {
        let bytes = body.starts(with: byteOrderMark) ? body[byteOrderMark.count...] : body[...]
        guard let first = bytes.first(where: { !$0.isBlank }) else { return .json }
        if first == UInt8(ascii: "{") {
            return isLines(bytes) ? .lines : .json
        }
        return first == UInt8(ascii: "[") || !bytes.contains(UInt8(ascii: "=")) ? .json : .form
    }

    /// Whether lines are documents each: the first one ends as an object, and the next one begins as one.
    private static func isLines(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            bytes[..<end].last(where: { !$0.isBlank }) == UInt8(ascii: "}")
        else { return false }
        return bytes[end...].first { !$0.isBlank } == UInt8(ascii: "{")
    }

    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
}

extension Scratch {
    /// Reads a body, and hands over each document in it, with its line where it has lines. No document where the body
    /// is blank.
    func readBody(
        of request: Request, _ handle: (JSONValue, _ line: Int?) throws(Refusal) -> Void
    ) throws(Refusal) {
        guard request.body.contains(where: { !$0.isBlank }) else { return }
        let format = try BodyFormat.of(request)
        // The closure of withUnsafeBufferPointer loses the error's type over a nested throwing closure; a Result keeps
        // it.
        let result: Result<Void, Refusal> = request.body.withUnsafeBufferPointer { bytes in
            do throws(Refusal) {
                switch format {
                case .json:
                    try handle(try document(bytes), nil)
                case .form:
                    if let form = bodyParameters.parse(bytes.trimmingBlanks) { try handle(form, nil) }
                case .lines:
                    try readLines(bytes, handle)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// The parameters of the query, as an object; nil where there are none.
    func readQuery(of request: Request) -> JSONValue? {
        guard !request.query.isEmpty else { return nil }
        var text = request.query
        return text.withUTF8 { query.parse($0) }
    }

    private func readLines(
        _ bytes: UnsafeBufferPointer<UInt8>, _ handle: (JSONValue, _ line: Int?) throws(Refusal) -> Void
    ) throws(Refusal) {
        var start = 0
        var line = 0
        while start < bytes.count {
            line += 1
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let text = UnsafeBufferPointer(rebasing: bytes[start..<end])
            start = end + 1
            if text.allSatisfy(\.isBlank) { continue }
            try handle(try document(text, line: line), line)
        }
    }

    private func document(_ bytes: UnsafeBufferPointer<UInt8>, line: Int? = nil) throws(Refusal) -> JSONValue {
        let root: JSONValue
        do {
            root = try body.parse(bytes)
        } catch {
            throw error.refusal(line: line)
        }
        guard let data = Self.pubSubData(in: root) else { return root }
        unwrapped.removeAll(keepingCapacity: true)
        guard Base64.decode(data, into: &unwrapped) else {
            throw .malformedBody("The message.data of this Pub/Sub push is not base64.")
        }
        // `data` is in the parser's own copy, which is overwritten now; `unwrapped` is ours.
        let result: Result<JSONValue, JSONFault> = unwrapped.withUnsafeBufferPointer { bytes in
            do throws(JSONFault) { return .success(try body.parse(bytes)) } catch { return .failure(error) }
        }
        do {
            return try result.get()
        } catch {
            throw .malformedBody("The message.data of this Pub/Sub push is not valid JSON: \(error.explanation).")
        }
    }

    /// The payload of a Google Cloud Pub/Sub push:
    /// `{"message":{"data":"<base64>","messageId":"..."},"subscription":"..."}`.
    private static func pubSubData(in root: JSONValue) -> UnsafeBufferPointer<UInt8>? {
        // It has two or three members, and most payloads more.
        guard let message = root.member("message", amongFirst: 4), message.isObject,
            message["messageId"] ?? message["message_id"] != nil,
            let data = message["data"], data.kind == .string
        else { return nil }
        return data.text
    }
}

extension JSONFault {
    func refusal(line: Int? = nil) -> Refusal {
        if reason == .noMemory {
            return .unavailable("This node has no memory left.", retryAfter: 5, cause: "json_parser_parse: no memory")
        }
        let what = line.map { "Line \($0) of the body" } ?? "The body"
        return .malformedBody("\(what) is not valid JSON: \(explanation).")
    }
}
