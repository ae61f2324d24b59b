import Relay

/// What a request's fields say about where it ends and what comes after it; gathered while they are read.
struct FramingFacts: Sendable {
    private var hosts = 0
    private var contentLength: Int?
    private var isChunked = false
    private var wantsClose = false
    private var wantsKeepAlive = false
    private(set) var expectsContinue = false
    private var hasUnknownExpectation = false
    /// What the sender says of the body's coding; whether it is so its bytes tell.
    private(set) var contentCoding = ContentCoding.none

    mutating func note(_ bytes: Span<UInt8>, _ place: Headers.Place) throws(Refusal) {
        let (name, value) = (place.name, place.value)
        switch name.count {
        case 4 where bytes.holds("host", in: name): try noteHost(bytes, value)
        case 6 where bytes.holds("expect", in: name):
            // Refused with the whole head: what stands behind it may say who the sender is.
            if bytes.holds("100-continue", in: value) { expectsContinue = true } else { hasUnknownExpectation = true }
        case 10 where bytes.holds("connection", in: name): noteConnection(bytes, value)
        case 14 where bytes.holds("content-length", in: name): try noteContentLength(bytes, value)
        case 16 where bytes.holds("content-encoding", in: name): noteContentCoding(bytes, value)
        case 17 where bytes.holds("transfer-encoding", in: name):
            // Exactly the one coding, once: every other list has been read as chunked by one hop and not by another.
            guard !isChunked, bytes.holds("chunked", in: value) else {
                throw .badRequest("The transfer coding must be chunked, once.")
            }
            isChunked = true
        default: break
        }
    }

    /// Where the body ends. Decided before a byte of it is read.
    func framing(
        of method: Method, at path: String, minorVersion: Int, _ limits: RequestLimits
    ) throws(Refusal) -> Framing {
        guard hosts == 1 || (hosts == 0 && minorVersion == 0) else {
            throw .badRequest("There must be exactly one Host field.")
        }
        if isChunked {
            // RFC 9112 section 6.1: both together, or a transfer coding in HTTP/1.0, is an attempt at smuggling.
            guard contentLength == nil else {
                throw .badRequest("Transfer-Encoding and Content-Length exclude each other.")
            }
            guard minorVersion == 1 else { throw .badRequest("HTTP/1.0 has no transfer codings.") }
        }
        guard !hasUnknownExpectation else { throw .unknownExpectation }
        guard isChunked || (contentLength ?? 0) > 0 else { return .none }
        guard method.hasBody else { throw .badRequest("\(method) has no body.") }
        guard !isChunked else { return .chunked }
        let length = contentLength ?? 0
        guard length > min(limits.bodyBytes, limits.shortBodyBytes) else { return .sized(length) }
        let most = limits.bodyBytes(at: path)
        guard length <= most else { throw .tooLarge("The body is larger than \(most) bytes.") }
        return .sized(length)
    }

    func isPersistent(minorVersion: Int) -> Bool {
        !wantsClose && (minorVersion == 1 || wantsKeepAlive)
    }

    // MARK: Fields

    private mutating func noteHost(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(Refusal) {
        hosts += 1
        guard bytes.isAuthority(in: value) else { throw .badRequest("The Host field is malformed.") }
    }

    private mutating func noteContentLength(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(Refusal) {
        guard contentLength == nil, (1...15).contains(value.count) else {
            throw .badRequest("There must be one Content-Length of 1 to 15 digits.")
        }
        var length = 0
        for index in value {
            guard bytes[index].isDigit else {
                throw .badRequest("There must be one Content-Length of 1 to 15 digits.")
            }
            length = length * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        contentLength = length
    }

    private mutating func noteConnection(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        bytes.forEachListElement(in: value) { element in
            if bytes.holds("close", in: element) { wantsClose = true }
            if bytes.holds("keep-alive", in: element) { wantsKeepAlive = true }
        }
    }

    private mutating func noteContentCoding(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        bytes.forEachListElement(in: value) { element in
            // RFC 9110 section 8.4.1.3: x-gzip is gzip.
            if bytes.holds("gzip", in: element) || bytes.holds("x-gzip", in: element) {
                // Twice compressed is not read either.
                contentCoding = contentCoding == .none ? .gzip : .other
            } else if !bytes.holds("identity", in: element) {
                contentCoding = .other
            }
        }
    }
}

extension Method {
    /// Others may send one by the letter of RFC 9110 section 9.3, "no defined semantics", and only do to smuggle.
    fileprivate var hasBody: Bool {
        switch self {
        case .post, .put, .patch, .query: true
        case .get, .head, .delete, .options, .trace: false
        }
    }
}

extension Span<UInt8> {
    /// Calls with each element of a comma-separated list, RFC 9110 section 5.6.1; empty ones are skipped.
    fileprivate func forEachListElement(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            var comma = start
            while comma < range.upperBound, self[comma] != UInt8(ascii: ",") { comma += 1 }
            var element = start..<comma
            while let first = element.first, self[first].isFieldBlank { element = first + 1..<comma }
            while let last = element.last, self[last].isFieldBlank { element = element.lowerBound..<last }
            if !element.isEmpty { body(element) }
            start = comma + 1
        }
    }
}
