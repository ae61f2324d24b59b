import CZlib
import Relay

/// Decodes a gzip body (RFC 1952), bounded by the body limit and by how many times its size it may grow to.
/// - Parameter mostBytes: as `RequestLimits.bodyBytes` if nil.
func gunzip(_ compressed: [UInt8], atMost mostBytes: Int? = nil, _ limits: RequestLimits) throws(Refusal) -> [UInt8] {
    // Small bodies may grow further: a few hundred bytes of JSON repeat themselves a lot, and cost nothing.
    let limit = min(mostBytes ?? limits.bodyBytes, max(16384, compressed.count * limits.inflation))
    let inflater = try Inflater()
    var outcome = Inflater.Outcome.malformed
    // One byte more than allowed tells a body that is too large from one that just fits.
    let body = [UInt8](unsafeUninitializedCapacity: limit + 1) { output, count in
        (outcome, count) = inflater.inflate(compressed, into: output)
    }
    switch outcome {
    case .complete where body.count <= limit: return body
    case .complete, .full: throw .tooLarge("The body is too large when decompressed.")
    case .malformed: throw .malformedBody("The body is no valid gzip.")
    }
}

extension [UInt8] {
    /// Whether this is to be gunzipped: its bytes decide. What looks like neither gzip nor a payload is what the sender
    /// says it is.
    func isCompressed(as coding: ContentCoding) throws(Refusal) -> Bool {
        // RFC 1952 section 2.3.1: the magic number, and deflate, the only method there is.
        if count >= 3, self[0] == 0x1f, self[1] == 0x8b, self[2] == 8 { return true }
        guard coding != .none, !isEmpty, !looksReadable else { return false }
        guard coding == .gzip else { throw .unsupportedCoding }
        return true
    }

    /// Whether it begins as JSON or a form does; compressed bytes hardly do.
    private var looksReadable: Bool {
        let text = starts(with: [0xef, 0xbb, 0xbf]) ? dropFirst(3) : self[...]
        guard let first = text.first(where: { !$0.isBlank }) else { return true }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return true
        default:
            let start = text.prefix(64)
            return start.contains(UInt8(ascii: "=")) && start.allSatisfy { (0x20..<0x7f).contains($0) || $0.isBlank }
        }
    }
}

/// The owner of a zlib stream.
private struct Inflater: ~Copyable {
    enum Outcome {
        case complete
        /// There was no room for all of it.
        case full
        case malformed
    }

    // On the heap: zlib's state points back at it, so it must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws(Refusal) {
        stream.initialize(to: z_stream())
        // 16 is zlib's word for a gzip wrapper and no other.
        guard patchbay_inflate_init(stream, MAX_WBITS + 16) == Z_OK else {
            stream.deallocate()
            throw .unavailable("The body cannot be decompressed now.", retryAfter: 1, cause: "inflateInit2")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// All members of the file, RFC 1952 section 2.2, one after the other.
    func inflate(_ input: [UInt8], into output: UnsafeMutableBufferPointer<UInt8>) -> (Outcome, count: Int) {
        input.withUnsafeBufferPointer { input in
            // zlib declares its input mutable and only reads it.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = uInt(input.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = uInt(output.count)
            var outcome = Outcome.malformed
            while stream.pointee.avail_in > 0 {
                let code = CZlib.inflate(stream, Z_FINISH)
                guard code == Z_STREAM_END else {
                    // Z_BUF_ERROR: it could not go on, for want of room or of input.
                    outcome = code == Z_BUF_ERROR && stream.pointee.avail_out == 0 ? .full : .malformed
                    break
                }
                outcome = .complete
                // gzip(1) passes over zeros behind the last member too: tapes and block ciphers pad with them.
                if input.suffix(Int(stream.pointee.avail_in)).allSatisfy({ $0 == 0 }) { break }
                inflateReset(stream)
            }
            return (outcome, output.count - Int(stream.pointee.avail_out))
        }
    }
}
