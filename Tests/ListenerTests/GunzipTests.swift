import CZlib
import Relay
import Testing

@testable import Listener

@Suite("Compressed bodies")
struct GunzipTests {
    @Test("a gzip body is decoded, also one of several members")
    func decodes() throws {
        let first = Array(#"{"appsflyer_id":"#.utf8)
        let second = Array(#""1-2"}"#.utf8)
        #expect(try gunzip(try gzip(first + second), RequestLimits()) == first + second)
        #expect(try gunzip(try gzip(first) + gzip(second), RequestLimits()) == first + second)
    }

    @Test("a body of just the limit is taken, one byte more is 413")
    func limit() throws {
        var limits = RequestLimits()
        limits.inflation = 2000
        let body = [UInt8](repeating: 7, count: limits.bodyBytes)
        #expect(try gunzip(try gzip(body), limits).count == limits.bodyBytes)
        #expect(status(try gzip(body + [7]), limits) == 413)
    }

    @Test("a bomb is 413 by its ratio, long before the body limit")
    func bomb() throws {
        let bomb = try gzip([UInt8](repeating: 0, count: 200_000))
        #expect(bomb.count < 1000)
        #expect(status(bomb, RequestLimits()) == 413)
    }

    @Test("a bomb of bombs, member after member, is 413 too")
    func manyMembers() throws {
        let member = try gzip([UInt8](repeating: 0, count: 10_000))
        #expect(status(Array(repeatElement(member, count: 100).joined()), RequestLimits()) == 413)
    }

    @Test("what is no gzip, is cut short, or is followed by something else is 400")
    func corrupt() throws {
        let good = try gzip(Array("hello".utf8))
        var flipped = good
        flipped[flipped.count - 5] ^= 1
        for bad in [Array("hello".utf8), Array(good.dropLast()), Array(good.prefix(5)), good + [1], flipped] {
            #expect(status(bad, RequestLimits()) == 400)
        }
    }

    @Test("zeros behind a gzip body are padding", arguments: [1, 511, 5000])
    func padding(_ count: Int) throws {
        let body = Array("hello".utf8)
        let padded = try gzip(body) + [UInt8](repeating: 0, count: count)
        #expect(try gunzip(padded, RequestLimits()) == body)
        #expect(try gunzip(try gzip(body) + gzip(body) + [0], RequestLimits()) == body + body)
        #expect(status(padded + [1], RequestLimits()) == 400)
    }

    /// Number 3 of "Whatever a vendor really sends": a label believed over the bytes.
    @Test(
        "a body is gunzipped by its bytes, whatever Content-Encoding says",
        arguments: ["", "Content-Encoding: gzip", "Content-Encoding: UTF-8", "Content-Encoding: identity"])
    func unlabelled(_ field: String) throws {
        let body = try gzip(Array("{}".utf8))
        let request = try #require(read(field, body))
        #expect(request.body == Array("{}".utf8))
        #expect(request.compressed == body)
    }

    @Test(
        "a body that begins as JSON or a form does is taken as it is, whatever Content-Encoding says",
        arguments: ["UTF-8", "none", "identity", "br", "gzip", "gzip, gzip", "aws-chunked", "utf-8, identity"])
    func plain(_ coding: String) throws {
        for body in ["{}", " \r\n[1]", "\u{FEFF}{\"a\":1}", "\"{}\"", "a=1&b=2", " "] {
            let request = try #require(read("Content-Encoding: \(coding)", Array(body.utf8)))
            #expect(request.body == Array(body.utf8))
            #expect(request.compressed == nil)
        }
    }

    @Test("a body in a coding that is not read here is 415, and leaves the connection usable")
    func otherCoding() throws {
        let bodies: [(String, [UInt8])] = [
            ("br", [0x0b, 0x02, 0x80]), ("deflate", [0x78, 0x9c, 0x03]), ("zstd", [0x28, 0xb5, 0x2f]),
        ]
        for (coding, body) in bodies {
            var reader = reader("Content-Encoding: \(coding)", body)
            let failure = try #require(reader.next().failure)
            #expect(failure.refusal.status == 415)
            #expect(!failure.closes)
        }
    }

    private func reader(_ field: String, _ body: [UInt8]) -> RequestReader {
        var reader = RequestReader(limits: RequestLimits())
        reader.append(
            "POST / HTTP/1.1\r\nHost: a\r\n\(field.isEmpty ? "" : field + "\r\n")Content-Length: \(body.count)\r\n\r\n")
        body.withUnsafeBytes { reader.append($0) }
        return reader
    }

    private func read(_ field: String, _ body: [UInt8]) -> (body: [UInt8], compressed: [UInt8]?)? {
        var reader = reader(field, body)
        guard case .request(_, let body, let compressed) = reader.next() else { return nil }
        return (body, compressed)
    }

    @Test("a body that is no gzip is refused as malformed and leaves the connection usable")
    func keepsConnection() throws {
        var reader = RequestReader(limits: RequestLimits())
        reader.append("POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
        reader.append("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        let failure = try #require(reader.next().failure)
        #expect(failure.refusal.code == "malformed_body")
        #expect(!failure.closes)
        let (head, _) = try #require(reader.next().request)
        #expect(head.path == "/next")
    }

    @Test("a request with a gzip body is handed out with it decoded")
    func throughReader() throws {
        let body = try gzip(Array("{}".utf8))
        var reader = RequestReader(limits: RequestLimits())
        reader.append(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: X-Gzip\r\nContent-Length: \(body.count)\r\n\r\n")
        body.withUnsafeBytes { reader.append($0) }
        guard case .request(_, let decoded, let compressed) = reader.next() else {
            Issue.record("this is a request")
            return
        }
        // As it was sent it is needed too: that is what a signature is made over.
        #expect(compressed == body)
        #expect(decoded == Array("{}".utf8))
    }

    private func status(_ compressed: [UInt8], _ limits: RequestLimits) -> Int? {
        do throws(Refusal) {
            _ = try gunzip(compressed, limits)
            return nil
        } catch {
            return error.status
        }
    }
}

func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    try #require(patchbay_deflate_init(&stream, 9, MAX_WBITS + 16) == Z_OK)
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, uLong(bytes.count))))
    let count = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = uInt(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = uInt(output.count)
            _ = deflate(&stream, Z_FINISH)
            return output.count - Int(stream.avail_out)
        }
    }
    return Array(output.prefix(count))
}
