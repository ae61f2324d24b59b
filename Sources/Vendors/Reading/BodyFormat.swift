import Relay

/// The ways in which a body can be written. Its bytes decide; what the content type says is believed of bytes that
/// could be anything.
enum BodyFormat: Equatable {
    /// One JSON document; or several, a line each, which is found out when it turns out not to be one.
    case json
    /// One JSON document a line.
    case lines
    case form

    static func of(_ request: Request) throws(Refusal) -> BodyFormat {
        let format: BodyFormat? = request.body.withUnsafeBufferPointer { body in
            let body = body.payload
            // Before the label is looked at: what begins so is what it looks like.
            if body.beginsAsJSON { return .json }
            return of(body, hint: Hint(request))
        }
        guard let format else { throw .unsupportedMediaType }
        return format
    }

    /// Of bytes that came without a label: from within an envelope.
    static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> BodyFormat {
        bytes.beginsAsJSON ? .json : of(bytes, hint: .anything) ?? .json
    }

    private static func of(_ bytes: UnsafeBufferPointer<UInt8>, hint: @autoclosure () -> Hint) -> BodyFormat? {
        if bytes.looksLikeForm { return .form }
        switch hint() {
        case .json: return .json
        case .lines: return .lines
        case .form: return .form
        case .anything: return bytes.contains(UInt8(ascii: "=")) ? .form : .json
        case .somethingElse: return nil
        }
    }

    /// Whether lines are documents each: the first one ends as an object or array, and the next one begins as one. In
    /// one document a comma would stand between.
    static func isLines(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let last = bytes[..<end].last(where: { !$0.isBlank }),
            let next = bytes[end...].first(where: { !$0.isBlank })
        else { return false }
        return (last == UInt8(ascii: "}") && next == UInt8(ascii: "{"))
            || (last == UInt8(ascii: "]") && next == UInt8(ascii: "["))
    }

    /// What a content type says.
    enum Hint {
        case json, lines, form
        /// Nothing, or what browsers, and people with curl, send when they say nothing.
        case anything
        case somethingElse

        init(_ request: Request) {
            // By bytes, not through `contentType`: text of Swift's costs more than the rest of this for every request.
            let header = request.headers.value(of: "content-type") ?? []
            let type = header.prefix { $0 != UInt8(ascii: ";") }
            self = type.withUnsafeBufferPointer { type in
                let type = type.trimmingBlanks
                if Self.types.json.contains(where: { type.equals($0) }) { return .json }
                if type.equals(Self.types.form) { return .form }
                if Self.types.lines.contains(where: { type.equals($0) }) { return .lines }
                if type.isEmpty || type.equals(Self.types.any) { return .anything }
                let suffix = UnsafeBufferPointer(rebasing: type.suffix(Self.types.plusJSON.count))
                let isJSON = type.begins(with: Self.types.application) && suffix.equals(Self.types.plusJSON)
                return isJSON ? .json : .somethingElse
            }
        }

        private static let types = (
            json: ["application/json", "text/json"].map { Array($0.utf8) },
            lines: ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]
                .map { Array($0.utf8) },
            form: Array("application/x-www-form-urlencoded".utf8), any: Array("text/plain".utf8),
            application: Array("application/".utf8), plusJSON: Array("+json".utf8)
        )
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// An object, an array, or a string, which may hold one of them.
    fileprivate var beginsAsJSON: Bool {
        first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\"")
    }

    /// A name and `=`, with nothing between that a form would have encoded. XML and the parts of a multipart body have
    /// blanks and brackets there.
    fileprivate var looksLikeForm: Bool {
        guard let equals = firstIndex(of: UInt8(ascii: "=")), equals > 0 else { return false }
        return self[..<equals].allSatisfy { byte in
            byte > UInt8(ascii: " ") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
                && byte != UInt8(ascii: "\"")
        }
    }
}
