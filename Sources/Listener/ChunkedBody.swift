import Glibc
import Relay

/// A chunked body on its way, RFC 9112 section 7.1. Extensions and trailers are bounded, checked and dropped.
struct ChunkedBody: Sendable {
    private enum Part: Sendable {
        case size
        case data(Int)
        /// The CRLF behind a chunk's data.
        case dataEnd
        case trailers(Int)
    }

    private var part = Part.size
    private(set) var body: [UInt8] = []

    /// Reads as far as the bytes go. What was consumed need not be shown again.
    mutating func read(
        _ bytes: Span<UInt8>, atMost mostBytes: Int, _ limits: RequestLimits
    ) throws(Refusal) -> (consumed: Int, isComplete: Bool) {
        var index = 0
        while true {
            switch part {
            case .size:
                // Eight digits, the extensions and CRLF.
                guard let line = try bytes.line(from: index, atMost: 8 + limits.chunkExtensionBytes, else: .malformed)
                else { return (index, false) }
                let size = try Self.size(bytes, line, limits)
                guard body.count + size <= mostBytes else {
                    throw .tooLarge("The body is larger than \(mostBytes) bytes.")
                }
                index = line.upperBound + 2
                part = size == 0 ? .trailers(0) : .data(size)
            case .data(let size):
                let count = min(size, bytes.count - index)
                guard count > 0 else { return (index, false) }
                bytes.extracting(index..<index + count).withUnsafeBufferPointer { body.append(contentsOf: $0) }
                index += count
                part = count == size ? .dataEnd : .data(size - count)
            case .dataEnd:
                guard let line = try bytes.line(from: index, atMost: 0, else: .malformed) else {
                    return (index, false)
                }
                index = line.upperBound + 2
                part = .size
            case .trailers(let count):
                let tooLarge = Refusal.fieldsTooLarge("The trailers are too large.")
                // The empty line that ends them always has room.
                let room = max(0, limits.trailerBytes - count - 2)
                guard let line = try bytes.line(from: index, atMost: room, else: tooLarge) else {
                    return (index, false)
                }
                index = line.upperBound + 2
                guard !line.isEmpty else { return (index, true) }
                _ = try Headers.Place(readingLine: line, of: bytes)
                part = .trailers(count + line.count + 2)
            }
        }
    }

    /// 1 to 8 hexadecimal digits, then nothing or `;` and extensions.
    private static func size(
        _ bytes: Span<UInt8>, _ line: Range<Int>, _ limits: RequestLimits
    ) throws(Refusal) -> Int {
        var size = 0
        var index = line.lowerBound
        while index < line.upperBound, let digit = bytes[index].hexDigit {
            size = size << 4 | Int(digit)
            index += 1
            guard index - line.lowerBound <= 8 else { throw .malformed }
        }
        guard index > line.lowerBound else { throw .malformed }
        guard index < line.upperBound else { return size }
        guard bytes[index] == UInt8(ascii: ";"), line.upperBound - index <= limits.chunkExtensionBytes else {
            throw .malformed
        }
        guard !bytes.hasControl(in: index..<line.upperBound) else { throw .malformed }
        return size
    }
}

extension Refusal {
    fileprivate static let malformed = badRequest("The chunked body is malformed.")
}

extension Span<UInt8> {
    /// A line without its CRLF; nil where its end has not come yet.
    /// - Throws: `refusal` where it is longer than `limit`, or ends with a bare LF.
    fileprivate func line(from start: Int, atMost limit: Int, else refusal: Refusal) throws(Refusal) -> Range<Int>? {
        let reach = Swift.min(count - start, limit + 2)
        let found = withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress, reach > 0,
                let found = memchr(base + start, Int32(UInt8.lineFeed), reach)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        guard let lineFeed = found else {
            guard reach < limit + 2 else { throw refusal }
            return nil
        }
        guard lineFeed > start, self[lineFeed - 1] == .carriageReturn else {
            throw .badRequest("A line must end with CRLF.")
        }
        return start..<lineFeed - 1
    }
}
