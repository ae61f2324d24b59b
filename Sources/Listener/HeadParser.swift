import Glibc
import Relay

/// Reads a request's head line by line as it comes, each line once, and says at the first wrong one what is wrong.
///
/// All positions are relative to where the request begins.
struct HeadParser: Sendable {
    private(set) var method: Method?
    private var target = RequestTarget()
    private var isTargetTooLong = false
    private var minorVersion = 1
    private var places: [Headers.Place] = []
    private var facts = FramingFacts()
    /// Behind the last line read; behind the whole head once it is complete.
    private(set) var length = 0
    /// No line feed lies before this.
    private var scanned = 0
    private var hasSkippedEmptyLine = false

    /// Reads the lines that are complete. True at the end of the head.
    mutating func read(_ bytes: Span<UInt8>, _ limits: RequestLimits) throws(Refusal) -> Bool {
        while let lineFeed = Self.lineFeed(in: bytes, from: scanned) {
            // RFC 9112 section 2.2 lets a recipient take a bare LF for a line's end; what stands before it may then
            // have ended a line for us and none for the next hop.
            guard lineFeed > length, bytes[lineFeed - 1] == .carriageReturn else {
                throw .badRequest("A line must end with CRLF.")
            }
            let line = length..<lineFeed - 1
            length = lineFeed + 1
            scanned = length
            if method == nil {
                guard line.isEmpty else {
                    try readRequestLine(bytes, line, limits)
                    continue
                }
                guard !hasSkippedEmptyLine else { throw .badRequest("A request must begin with its request line.") }
                hasSkippedEmptyLine = true
            } else {
                guard length <= limits.headBytes else { throw .fieldsTooLarge("The header is too large.") }
                guard !line.isEmpty else { return true }
                try readField(bytes, line, limits)
            }
        }
        scanned = bytes.count
        try checkUnfinishedLine(bytes, limits)
        return false
    }

    /// What the whole head comes to. Call once, when `read` said true, with the bytes of the head.
    func finish(_ bytes: [UInt8], _ limits: RequestLimits) throws(Refusal) -> (RequestHead, Framing) {
        guard let method else { throw .badRequest("A request must begin with its request line.") }
        guard !isTargetTooLong else { throw .targetTooLong }
        let head = head(bytes, method)
        return (head, try facts.framing(of: method, at: head.path, minorVersion: minorVersion, limits))
    }

    /// The head of a request that is refused, as far as it was read; only good for the refusal's words and the log. Nil
    /// where not even its target was.
    func unframed(_ bytes: [UInt8]) -> RequestHead? {
        target.path.isEmpty ? nil : method.map { head(bytes, $0) }
    }

    /// A query may carry bytes that are no UTF-8. Each becomes its percent-encoding, which stands for the same byte:
    /// two different ids shall not become one.
    private static func text(_ query: ArraySlice<UInt8>) -> String {
        let isASCII = query.withUnsafeBufferPointer { !$0.holdsNonASCII }
        if isASCII { return String(decoding: query, as: UTF8.self) }
        if let text = String(validating: query, as: UTF8.self) { return text }
        var encoded: [UInt8] = []
        for byte in query {
            if byte < 0x80 {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), UInt8.hexDigits[Int(byte >> 4)], UInt8.hexDigits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private func head(_ bytes: [UInt8], _ method: Method) -> RequestHead {
        RequestHead(
            method: method, path: String(decoding: bytes[target.path], as: UTF8.self),
            query: Self.text(bytes[target.query]),
            headers: Headers(bytes: bytes, places: places), bytes: bytes.count, isHTTP10: minorVersion == 0,
            isPersistent: facts.isPersistent(minorVersion: minorVersion),
            expectsContinue: facts.expectsContinue && minorVersion == 1, contentCoding: facts.contentCoding)
    }

    // MARK: Lines

    /// `METHOD SP target SP HTTP/1.0|1.1`, and nothing else.
    private mutating func readRequestLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>, _ limits: RequestLimits
    ) throws(Refusal) {
        guard length <= limits.headBytes else {
            readCutRequestLine(bytes, limits)
            throw .targetTooLong
        }
        // With two blanks in the line the target is what lies between the first and the last.
        var nameEnd = line.lowerBound
        while nameEnd < line.upperBound, ByteClass.token.contains(bytes[nameEnd]) { nameEnd += 1 }
        let versionStart = line.upperBound - 8
        guard nameEnd > line.lowerBound, nameEnd + 2 < versionStart, bytes[nameEnd] == .space,
            bytes[versionStart - 1] == .space, bytes.has("HTTP/", at: versionStart),
            bytes[versionStart + 5].isDigit, bytes[versionStart + 6] == UInt8(ascii: "."),
            bytes[versionStart + 7].isDigit
        else { throw .badRequest("The request line is malformed.") }
        guard bytes[versionStart + 5] == UInt8(ascii: "1"), bytes[versionStart + 7] <= UInt8(ascii: "1") else {
            throw .unknownVersion
        }
        minorVersion = Int(bytes[versionStart + 7] - UInt8(ascii: "0"))
        // Set before the target is judged: whether the refusal may have a body depends on it.
        let known = Method(bytes, line.lowerBound..<nameEnd)
        method = known
        let range = nameEnd + 1..<versionStart - 1
        isTargetTooLong = range.count > limits.targetBytes
        guard known != nil else { throw isTargetTooLong ? .targetTooLong : .unknownMethod }
        target = try RequestTarget(bytes, range)
        places.reserveCapacity(16)
    }

    /// What a request line that is too long to be kept says of who is asked: the path, and the whole parameters before
    /// its limit.
    private mutating func readCutRequestLine(_ bytes: Span<UInt8>, _ limits: RequestLimits) {
        var start = 0
        while start < bytes.count, bytes[start] == .carriageReturn || bytes[start] == .lineFeed { start += 1 }
        var nameEnd = start
        while nameEnd < bytes.count, ByteClass.token.contains(bytes[nameEnd]) { nameEnd += 1 }
        method = Method(bytes, start..<nameEnd)
        var end = min(bytes.count, limits.headBytes)
        while end > nameEnd + 1, bytes[end - 1] != UInt8(ascii: "&") { end -= 1 }
        guard end > nameEnd + 1, let whole = try? RequestTarget(bytes, nameEnd + 1..<end) else { return }
        target = whole
    }

    private mutating func readField(
        _ bytes: Span<UInt8>, _ line: Range<Int>, _ limits: RequestLimits
    ) throws(Refusal) {
        guard places.count < limits.fields else { throw .fieldsTooLarge("There are too many header fields.") }
        let place = try Headers.Place(readingLine: line, of: bytes)
        try facts.note(bytes, place)
        places.append(place)
    }

    /// Refuses early what can only become wrong, so that it is not kept until a deadline.
    private mutating func checkUnfinishedLine(_ bytes: Span<UInt8>, _ limits: RequestLimits) throws(Refusal) {
        let count = bytes.count - length
        guard count > 0 else { return }
        if method == nil {
            guard ByteClass.token.contains(bytes[length]) || bytes[length] == .carriageReturn else {
                throw .badRequest("The request line is malformed.")
            }
            guard bytes.count <= limits.headBytes else {
                readCutRequestLine(bytes, limits)
                throw .targetTooLong
            }
        } else {
            guard bytes.count <= limits.headBytes else { throw .fieldsTooLarge("The header is too large.") }
        }
    }

    private static func lineFeed(in bytes: Span<UInt8>, from start: Int) -> Int? {
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, start < raw.count,
                let found = memchr(base + start, Int32(UInt8.lineFeed), raw.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}

extension Method {
    fileprivate init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        // By length first: most requests are decided by one comparison.
        switch range.count {
        case 3 where bytes.has("GET", at: range.lowerBound): self = .get
        case 3 where bytes.has("PUT", at: range.lowerBound): self = .put
        case 4 where bytes.has("POST", at: range.lowerBound): self = .post
        case 4 where bytes.has("HEAD", at: range.lowerBound): self = .head
        case 5 where bytes.has("PATCH", at: range.lowerBound): self = .patch
        case 5 where bytes.has("TRACE", at: range.lowerBound): self = .trace
        case 5 where bytes.has("QUERY", at: range.lowerBound): self = .query
        case 6 where bytes.has("DELETE", at: range.lowerBound): self = .delete
        case 7 where bytes.has("OPTIONS", at: range.lowerBound): self = .options
        default: return nil
        }
    }
}
