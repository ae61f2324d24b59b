import CZlib
import Relay

/// Decodes a gzip body (RFC 1952), bounded by the body limit and by how many times its size it may grow to.
func gunzip(_ compressed: [UInt8], _ limits: RequestLimits) throws(Refusal) -> [UInt8] {
    // Small bodies may grow further: a few hundred bytes of JSON repeat themselves a lot, and cost nothing.
    let limit = min(limits.bodyBytes, max(16384, compressed.count * limits.inflation))
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
                inflateReset(stream)
            }
            return (outcome, output.count - Int(stream.pointee.avail_out))
        }
    }
}
