import Foundation
import Listener
import Relay

extension Fuzzer {
    /// The bytes of a connection: in one piece, byte by byte, and cut as the input says. They must come to the same
    /// requests, which are those that a plain reading by the RFC finds.
    static let reader = Fuzzer(
        name: "Reader", mostBytes: 2048,
        words: [
            "\r\n\r\n", "HTTP/1.1\r\n", "HTTP/1.0", "Host: a\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n",
            "Content-Encoding: gzip\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "0\r\n\r\n", ";a=b\r\n",
            "GET ", "POST / ", "OPTIONS", "http://a", "/%2e%2e/", "Connection: keep-alive\r\n", "X-A: b\r\n",
        ],
        seeds: { repository in
            try repository.files(in: "Tests/ListenerTests/Corpus", ".raw").flatMap { file in
                let bytes = expand(file.bytes)
                // Cut in two ways, and once within limits that a short input can reach.
                return [[0x10] + bytes, [0x53] + bytes, [0xff] + bytes]
            }
        },
        run: { input in
            let cuts = input.byte()
            let limits = cuts == 0xff ? low : RequestLimits()
            let bytes = Array(input.rest)
            let whole = read(bytes, limits) { $0 }
            let single = read(bytes, limits) { _ in 1 }
            var state = UInt64(cuts)
            let pieces = read(bytes, limits) { rest in
                // Knuth's generator: pieces of 1 to 64 bytes.
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return min(rest, Int(state >> 58) + 1)
            }
            claim(whole.isSame(as: single), "byte by byte it is \(single), in one piece \(whole)")
            claim(whole.isSame(as: pieces), "in pieces it is \(pieces), in one piece \(whole)")
            comparePlainly(whole, with: bytes)
            for request in whole.requests { repeatRequest(request) }
        })

    private static var low: RequestLimits {
        var limits = RequestLimits()
        limits.targetBytes = 32
        limits.headBytes = 256
        limits.fields = 6
        limits.bodyBytes = 64
        limits.chunkExtensionBytes = 8
        limits.trailerBytes = 32
        return limits
    }

    /// As `run_corpus.py` does, without what only a running node needs.
    private static func expand(_ raw: [UInt8]) -> [UInt8] {
        var text = String(String.UnicodeScalarView(raw.map { Unicode.Scalar($0) }))
        while let start = text.range(of: "@REP:"),
            let end = text.range(of: "@", range: start.upperBound..<text.endIndex)
        {
            let parts = text[start.upperBound..<end.lowerBound].components(separatedBy: ":")
            let count = min(Int(parts.last ?? "") ?? 0, 200)
            let repeated = String(repeating: parts.dropLast().joined(separator: ":"), count: count)
            text.replaceSubrange(start.lowerBound..<end.upperBound, with: repeated)
        }
        let body = #"{"app":"a1","profile":"p1","event":"ping","n":1}"#
        for (name, value) in [
            ("@PATH@", "/hooks/x"), ("@HOST@", "a:80"), ("@CLEN@", "\(body.count)"), ("@CLEN+1@", "\(body.count + 1)"),
            ("@XLEN@", String(body.count, radix: 16)), ("@EXTRA@", ""), ("@BODY@", body),
        ] {
            text = text.replacingOccurrences(of: name, with: value)
        }
        return text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
}

// MARK: - What a connection comes to

private struct Outcome: CustomStringConvertible {
    var requests: [(head: RequestHead, body: [UInt8])] = []
    /// Of every request, in their order: accepted, or with what status refused.
    var statuses: [Int] = []
    var closes = false

    var description: String { "\(statuses)\(closes ? " and closed" : "")" }

    func isSame(as other: Outcome) -> Bool {
        // Of what is too large and wrong besides, which is said first depends on what has come of it.
        let isSize = { (status: Int) in status == 414 || status == 431 }
        return closes == other.closes && statuses.count == other.statuses.count
            && zip(statuses, other.statuses).allSatisfy { one, two in
                one == two || (one >= 400 && two >= 400 && (isSize(one) || isSize(two)))
            }
            && requests.elementsEqual(other.requests) { one, two in
                one.body == two.body && one.head.isSame(as: two.head) && one.head.bytes == two.head.bytes
            }
    }
}

extension RequestHead {
    fileprivate func isSame(as other: RequestHead) -> Bool {
        method == other.method && path == other.path && query == other.query
            && headers.count == other.headers.count && isPersistent == other.isPersistent
    }
}

private func read(_ bytes: [UInt8], _ limits: RequestLimits, cut: (_ rest: Int) -> Int) -> Outcome {
    var reader = RequestReader(limits: limits)
    var outcome = Outcome()
    var rest = bytes[...]
    var lastPiece = 0
    repeat {
        let piece = rest.prefix(rest.isEmpty ? 0 : cut(rest.count))
        lastPiece = piece.count
        rest = rest.dropFirst(piece.count)
        piece.withUnsafeBytes { reader.append($0) }
        read: while true {
            switch reader.next() {
            case .needMore: break read
            case .expectation: continue
            case .request(let head, let body, let compressed):
                claim(!outcome.closes, "a request after the failure")
                claim(head.bytes <= limits.headBytes, "a head of \(head.bytes) bytes")
                claim(head.headers.count <= limits.fields, "\(head.headers.count) fields")
                claim(body.count <= limits.bodyBytes, "a body of \(body.count) bytes")
                claim((compressed?.count ?? 0) <= limits.bodyBytes, "a compressed body beyond the limit")
                let isDeclared = head.headers.value(of: "content-encoding") != nil
                claim(compressed?.beginsAsGzip ?? true || isDeclared, "a body was decoded unasked")
                outcome.requests.append((head, body))
                outcome.statuses.append(200)
            case .failure(let failure):
                claim(!outcome.closes, "a failure after the failure")
                claim(failure.refusal.status >= 400, "a refusal with \(failure.refusal.status)")
                outcome.statuses.append(failure.refusal.status)
                outcome.closes = failure.closes
            }
        }
    } while !rest.isEmpty
    // However long it goes on, what is wrong ends there.
    if outcome.closes {
        Array("POST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8).withUnsafeBytes { reader.append($0) }
        if case .needMore = reader.next() {} else { claim(false, "something after the failure") }
    } else {
        // What was taken, a head among it, is let go when the next piece comes.
        let most = 2 * limits.headBytes + limits.bodyBytes + limits.trailerBytes + limits.chunkExtensionBytes + 64
        claim(reader.heldBytes <= most + lastPiece, "\(reader.heldBytes) bytes are held")
    }
    return outcome
}

// MARK: - The same by other means

/// Where requests begin and end is what smuggling is about. A second reading, plain and slow, must find each accepted
/// request where the reader found it, with the same body.
private func comparePlainly(_ outcome: Outcome, with bytes: [UInt8]) {
    var rest = bytes[...]
    var accepted = outcome.requests.makeIterator()
    for status in outcome.statuses {
        guard let (head, body, length) = plainRequest(rest) else {
            claim(status != 200, "accepted, and no request by a plain reading: \(outcome)")
            return
        }
        rest = rest.dropFirst(length)
        guard status == 200, let request = accepted.next() else {
            // Refused for what is in it; where the connection goes on, its framing was sound.
            if outcome.closes { return }
            continue
        }
        let target = request.head.path + (request.head.query.isEmpty ? "" : "?" + request.head.query)
        let line = head[0].components(separatedBy: " ")
        claim(line.first == request.head.method.rawValue, "the method is \(request.head.method), not \(line[0])")
        let isPlain = target.utf8.allSatisfy { $0 < 0x80 } && !target.contains("%")
        claim(!isPlain || line.dropFirst().joined(separator: " ").contains(target), "the target is \(target)")
        claim(head.count == request.head.headers.count + 1, "there are \(head.count - 1) fields")
        let isDeclared = request.head.headers.value(of: "content-encoding") != nil
        claim(body == request.body || body.beginsAsGzip || isDeclared, "the body is another")
    }
}

/// The lines of the first head, the body behind it, and how long both are; nil for what is not framed beyond doubt.
private func plainRequest(_ bytes: ArraySlice<UInt8>) -> (head: [String], body: [UInt8], length: Int)? {
    var rest = bytes
    if rest.starts(with: lineEnd) { rest = rest.dropFirst(2) }
    var lines: [String] = []
    while let end = find(lineEnd, in: rest) {
        let line = rest.prefix(end)
        guard !line.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else { return nil }
        rest = rest.dropFirst(end + 2)
        if line.isEmpty {
            let head = rest.startIndex - bytes.startIndex
            return plainBody(lines, rest).map { (lines, $0.body, head + $0.length) }
        }
        // As Latin-1: a combining mark behind a colon would make one character of both.
        lines.append(String(String.UnicodeScalarView(line.map { Unicode.Scalar($0) })))
    }
    return nil
}

private func plainBody(_ lines: [String], _ rest: ArraySlice<UInt8>) -> (body: [UInt8], length: Int)? {
    var length: Int?
    var isChunked = false
    for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let value = parts[1].trimmingBlanks.lowercased()
        switch parts[0].lowercased() {
        case "content-length":
            guard length == nil, let number = Int(value), number >= 0 else { return nil }
            length = number
        case "transfer-encoding":
            guard !isChunked, value == "chunked" else { return nil }
            isChunked = true
        default: break
        }
    }
    guard length == nil || !isChunked else { return nil }
    if isChunked { return plainChunks(rest) }
    let count = length ?? 0
    guard rest.count >= count else { return nil }
    return (Array(rest.prefix(count)), count)
}

private let lineEnd: [UInt8] = [13, 10]

private func plainChunks(_ bytes: ArraySlice<UInt8>) -> (body: [UInt8], length: Int)? {
    var rest = bytes
    var body: [UInt8] = []
    while let end = find(lineEnd, in: rest) {
        let line = String(decoding: rest.prefix(end), as: UTF8.self)
        guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else { return nil }
        rest = rest.dropFirst(end + 2)
        guard size > 0 else {
            while let end = find(lineEnd, in: rest) {
                rest = rest.dropFirst(end + 2)
                if end == 0 { return (body, rest.startIndex - bytes.startIndex) }
            }
            return nil
        }
        guard size <= rest.count - 2, rest.dropFirst(size).starts(with: lineEnd) else { return nil }
        body += rest.prefix(size)
        rest = rest.dropFirst(size + 2)
    }
    return nil
}

private func find(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= wanted.count else { return nil }
    return (0...bytes.count - wanted.count).first { bytes.dropFirst($0).starts(with: wanted) }
}

/// What was accepted and is written down anew, in the plainest way, is the same request again.
private func repeatRequest(_ request: (head: RequestHead, body: [UInt8])) {
    let head = request.head
    var text = Array("\(head.method) \(head.path)\(head.query.isEmpty ? "" : "?" + head.query) HTTP/1.1\r\n".utf8)
    text += "Host: a\r\nContent-Length: \(request.body.count)\r\n".utf8
    text += head.isPersistent ? "\r\n".utf8 : "Connection: close\r\n\r\n".utf8
    var limits = RequestLimits()
    limits.targetBytes *= 3
    limits.headBytes *= 3
    let outcome = read(text + request.body, limits) { $0 }
    claim(outcome.statuses == [200], "\(String(decoding: text, as: UTF8.self)) is \(outcome)")
    guard let again = outcome.requests.first else { return }
    claim(
        again.head.method == head.method && again.head.path == head.path && again.head.query == head.query
            && again.head.isPersistent == head.isPersistent && again.body == request.body,
        "written anew it is another request")
}

extension [UInt8] {
    fileprivate var beginsAsGzip: Bool { starts(with: [0x1f, 0x8b, 8]) }
}
