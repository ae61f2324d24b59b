import CSimdjson

/// The owner of one `json_parser`: its copy of a document, and the tape of that document.
/// One document at a time; reading the next ends the values of the one before.
final class JSONParser {
    /// Nil where there was no memory for it.
    private let parser = json_parser_create()

    deinit {
        if let parser { json_parser_destroy(parser) }
    }

    /// What it holds on to between documents.
    var capacityBytes: Int { parser.map { json_parser_capacity($0) } ?? 0 }

    /// The values point into the parser, and do not keep it: whoever calls this owns it for longer than he reads them.
    func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONFault) -> JSONValue {
        guard let parser else { throw JSONFault(JSON_NO_MEMORY, at: 0) }
        // C takes no null pointer, however short.
        guard let base = bytes.baseAddress else { throw JSONFault(JSON_EMPTY, at: 0) }
        let status = json_parser_parse(parser, base, bytes.count)
        guard status == JSON_OK, let root = json_parser_root(parser) else {
            throw JSONFault(status, at: json_parser_error_offset(parser))
        }
        return JSONValue(node: root)
    }

    /// Reads one document while `body` runs; the caller of a method keeps its object for that long, whatever he does
    /// with it then.
    func withDocument<Result>(_ bytes: [UInt8], _ body: (JSONValue) -> Result) throws(JSONFault) -> Result {
        let result: Swift.Result<Result, JSONFault> = bytes.withUnsafeBufferPointer { bytes in
            do throws(JSONFault) { return .success(body(try parse(bytes))) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// Why bytes are not a JSON document.
struct JSONFault: Error, Equatable {
    enum Reason: Equatable {
        case empty, tooLarge, tooDeep, invalidUTF8, unclosedString, controlInString, badEscape, badNumber, badLiteral
        case unexpected, unclosed, trailing, noMemory
    }

    let reason: Reason
    /// Near which byte; nil where only the whole is known to be wrong.
    let offset: Int?

    fileprivate init(_ status: json_status, at offset: Int) {
        switch status {
        case JSON_EMPTY: reason = .empty
        case JSON_TOO_LARGE: reason = .tooLarge
        case JSON_TOO_DEEP: reason = .tooDeep
        case JSON_INVALID_UTF8: reason = .invalidUTF8
        case JSON_UNCLOSED_STRING: reason = .unclosedString
        case JSON_CONTROL_IN_STRING: reason = .controlInString
        case JSON_BAD_ESCAPE: reason = .badEscape
        case JSON_BAD_NUMBER: reason = .badNumber
        case JSON_BAD_LITERAL: reason = .badLiteral
        case JSON_UNCLOSED: reason = .unclosed
        case JSON_TRAILING: reason = .trailing
        case JSON_NO_MEMORY: reason = .noMemory
        default: reason = .unexpected
        }
        self.offset = offset > 0 ? offset : nil
    }

    /// The rest of a sentence that begins "The body is not valid JSON: ".
    var explanation: String {
        let words =
            switch reason {
            case .empty: "it is empty"
            case .tooLarge: "it is too large"
            case .tooDeep: "it is nested more than \(JSON_MAX_DEPTH) levels deep"
            case .invalidUTF8: "it is not UTF-8"
            case .unclosedString: "a string is not closed"
            case .controlInString: "a string holds a control character that is not escaped"
            case .badEscape: "a string holds an escape that does not exist"
            case .badNumber: "a number is malformed"
            case .badLiteral: "something is neither a string, a number, true, false nor null"
            case .unexpected: "a comma, colon, bracket or value is missing or one too many"
            case .unclosed: "it ends before an object or array does"
            case .trailing: "something follows behind its end"
            case .noMemory: "there is no memory to read it"
            }
        return offset.map { "\(words) (near byte \($0))" } ?? words
    }
}
