import Relay

extension Scratch {
    /// One document of a body.
    enum Document {
        case value(JSONValue)
        /// It is there, and nobody can read it: a reason and words for the skip it comes to.
        case unreadable(Skip.Reason, String)
    }

    typealias Handler = (Document, _ line: Int?) throws(Refusal) -> Void

    /// Reads what a vendor sent, and hands over each document in it, with its line where it has lines. No document
    /// where the body is blank. What is wrapped is unwrapped once: JSON in a JSON string, a Pub/Sub push.
    func readBody(of request: Request, _ handle: Handler) throws(Refusal) {
        guard !request.body.isBlank else { return }
        let format = try BodyFormat.of(request)
        // The closure of withUnsafeBufferPointer loses the error's type over a nested throwing closure; a Result keeps
        // it.
        let result: Result<Void, Refusal> = request.body.withUnsafeBufferPointer { bytes in
            do throws(Refusal) {
                return .success(try read(bytes, as: format, isUnwrapped: false, handle))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Reads what an app sent: one JSON document, exactly as it should be, because whoever wrote it reads the answer.
    /// Nil where the body is blank.
    func readClientBody(of request: Request) throws(Refusal) -> JSONValue? {
        guard !request.body.isBlank else { return nil }
        if try BodyFormat.of(request) != .json, BodyFormat.Hint(request) != .json { throw .unsupportedMediaType }
        switch request.body.withUnsafeBufferPointer({ parsed($0.payload) }) {
        case .success(let root): return root
        case .failure(let fault): throw fault.refusal()
        }
    }

    /// The parameters of the query, as an object; nil where there are none.
    func readQuery(of request: Request) -> JSONValue? {
        guard !request.query.isEmpty else { return nil }
        var text = request.query
        return text.withUTF8 { query.parse($0) }
    }

    func read(
        _ bytes: UnsafeBufferPointer<UInt8>, as format: BodyFormat, isUnwrapped: Bool, _ handle: Handler
    ) throws(Refusal) {
        switch format {
        case .form:
            if let form = bodyParameters.parse(bytes.payload.trimmingBlanks) { try handle(.value(form), nil) }
        case .lines:
            if let refusal = try readLines(bytes, isUnwrapped: isUnwrapped, handle) { throw refusal }
        case .json:
            let fault: JSONFault
            switch parsed(bytes.payload) {
            case .success(let root): return try hand(over: root, nil, isUnwrapped: isUnwrapped, handle)
            case .failure(let error): fault = error
            }
            if BodyFormat.isLines(bytes), try readLines(bytes, isUnwrapped: isUnwrapped, handle) == nil { return }
            guard let root = repair(bytes, fault) else { throw fault.refusal() }
            try hand(over: root, nil, isUnwrapped: isUnwrapped, handle)
        }
    }

    /// A line that cannot be read costs itself only.
    /// - Returns: what is wrong with the first one, where none can be read.
    private func readLines(
        _ bytes: UnsafeBufferPointer<UInt8>, isUnwrapped: Bool, _ handle: Handler
    ) throws(Refusal) -> Refusal? {
        var first: Refusal?
        var unreadable: [Int] = []
        var hasRead = false
        var start = 0
        var line = 0
        while start < bytes.count {
            line += 1
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let text = UnsafeBufferPointer(rebasing: bytes[start..<end]).payload
            start = end + 1
            if text.isEmpty { continue }
            let root: JSONValue
            switch parsed(text) {
            case .success(let document): root = document
            case .failure(let fault):
                guard fault.reason != .noMemory else { throw fault.refusal() }
                guard let repaired = repair(text, fault) else {
                    if first == nil { first = fault.refusal(line: line) }
                    // One more than may be: the reader of events refuses the whole then.
                    if unreadable.count <= EventReader.mostEvents { unreadable.append(line) }
                    continue
                }
                root = repaired
            }
            hasRead = true
            try hand(over: root, line, isUnwrapped: isUnwrapped, handle)
        }
        guard hasRead else { return first }
        for line in unreadable { try handle(.unreadable(.unreadable, "it is not valid JSON"), line) }
        return nil
    }

    private func parsed(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONFault> {
        do throws(JSONFault) { return .success(try body.parse(bytes)) } catch { return .failure(error) }
    }

    /// What the second reading makes of a document that the first one refused; nil where that is nothing either.
    private func repair(_ bytes: UnsafeBufferPointer<UInt8>, _ fault: JSONFault) -> JSONValue? {
        switch fault.reason {
        case .empty, .tooLarge, .tooDeep, .noMemory: return nil
        default: break
        }
        guard let repaired = JSONRepair.repair(bytes) else { return nil }
        return repaired.withUnsafeBufferPointer { try? body.parse($0) }
    }
}

extension [UInt8] {
    /// Whether there is nothing but blanks and byte order marks.
    fileprivate var isBlank: Bool { withUnsafeBufferPointer { $0.payload.isEmpty } }
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
