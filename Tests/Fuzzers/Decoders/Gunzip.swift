import CZlib
import Relay

@testable import Listener

extension Fuzzer {
    /// Compressed bodies: as they come, and such as we make. Whatever they claim, they stay within the limits.
    static let compressed = Fuzzer(
        name: "Gunzip", mostBytes: 4096,
        seeds: { _ in
            let text = Array(#"{"appsflyer_id":"1791840012345-4417802","customer_user_id":"usr_1"}"#.utf8)
            let zeros = [UInt8](repeating: 0, count: 100_000)
            return [
                [0] + compress(text), [0] + compress(text) + compress(text), [0] + compress(zeros), [1] + text,
                [1] + zeros.prefix(2000),
            ]
        },
        run: { input in
            var limits = RequestLimits()
            limits.bodyBytes = 32_768
            if input.byte() % 2 == 0 {
                guard let body = try? gunzip(Array(input.rest), limits) else { return }
                claim(body.count <= limits.bodyBytes, "a body is larger than its limit")
            } else {
                let body = Array(input.rest)
                claim((try? gunzip(compress(body), limits)) == body, "a body changed on its way")
                claim((try? gunzip(compress(body) + [0, 0], limits)) == body, "padding changed a body")
                claim((try? gunzip(compress(body) + [1], limits)) == nil, "what follows a body was taken")
            }
        })

    private static func compress(_ body: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        guard patchbay_deflate_init(&stream, 6, MAX_WBITS + 16) == Z_OK else { return [] }
        defer { deflateEnd(&stream) }
        var body = body
        return [UInt8](unsafeUninitializedCapacity: body.count + 1024) { output, count in
            body.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(output.count)
                deflate(&stream, Z_FINISH)
            }
            count = output.count - Int(stream.avail_out)
        }
    }
}
