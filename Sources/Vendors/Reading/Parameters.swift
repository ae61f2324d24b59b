import CSimdjson
import Relay

/// A form or query string, decoded and laid out as an object of strings: to all that reads payloads it is JSON. One
/// text at a time; reading the next ends the values of the one before.
///
/// A parameter without a value is left out: to a vendor it means "I have none", and it must not hide an earlier one of
/// its name. Passed over are a byte order mark and a `?` before the first name, and the `amp;` of a URL that was
/// escaped for HTML. A second `?` divides like `&`: the template had parameters of its own and was appended to. Where
/// the value before it is an address, the parameters are the address's.
final class Parameters {
    private var text: UnsafeMutableBufferPointer<UInt8> = .allocate(capacity: 1024)
    private var nodes: UnsafeMutableBufferPointer<json_node> = .allocate(capacity: 64)

    deinit {
        text.deallocate()
        nodes.deallocate()
    }

    var capacityBytes: Int { text.count + nodes.count * MemoryLayout<json_node>.stride }

    /// Nil where there is no parameter at all. The values point into this object and do not keep it. WHATWG URL section
    /// 5.1: `&` divides, `+` is a space, a `%` that is not followed by two hexadecimal digits stands for itself.
    func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        reserve(bytes)
        var nodeCount = 1
        var written = 0
        var start = Self.prefix(bytes)
        while start < bytes.count {
            var end = start
            var equals: Int?
            var isAddress = false
            var judged = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "&") {
                if equals == nil, bytes[end] == UInt8(ascii: "=") { equals = end }
                if bytes[end] == UInt8(ascii: "?"), let equals {
                    // Each byte is looked at once, however many marks there are.
                    isAddress = isAddress || Self.holdsAddress(bytes, max(equals, judged)..<end)
                    judged = end
                    if !isAddress, Self.beginsParameter(bytes, end + 1) { break }
                }
                end += 1
            }
            start += Self.escapedAmpersand(bytes, start)
            if let equals, equals + 1 < end {
                nodes[nodeCount] = decode(bytes, start..<equals, at: &written, as: JSON_NAME)
                nodes[nodeCount + 1] = decode(bytes, (equals + 1)..<end, at: &written, as: JSON_STRING)
                nodeCount += 2
            }
            start = end + 1
        }
        guard bytes.contains(where: { $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "?") }),
            let root = nodes.baseAddress
        else { return nil }
        root.pointee = json_node(text: nil, length: 0, span: UInt32(nodeCount), kind: JSON_OBJECT)
        return JSONValue(node: root)
    }

    /// Before the first name.
    private static func prefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var start = 0
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { start = 3 }
        if bytes.count >= 9, bytes[0] == UInt8(ascii: "%"), bytes[..<9].map(\.lowercased) == Array("%ef%bb%bf".utf8) {
            start = 9
        }
        while start < bytes.count, bytes[start] == UInt8(ascii: "?") { start += 1 }
        return start
    }

    /// Of what is left of an `&amp;` whose `&` has divided already.
    private static func escapedAmpersand(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        start + 4 < bytes.count && bytes[start] == UInt8(ascii: "a") && bytes[start + 1] == UInt8(ascii: "m")
            && bytes[start + 2] == UInt8(ascii: "p") && bytes[start + 3] == UInt8(ascii: ";") ? 4 : 0
    }

    /// Whether there is a colon or slash, as it is or encoded.
    private static func holdsAddress(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        range.contains { index in
            switch bytes[index] {
            case UInt8(ascii: "/"), UInt8(ascii: ":"): return true
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count else { return false }
                let code = (bytes[index + 1], bytes[index + 2].lowercased)
                return code == (UInt8(ascii: "2"), UInt8(ascii: "f")) || code == (UInt8(ascii: "3"), UInt8(ascii: "a"))
            default: return false
            }
        }
    }

    private static func beginsParameter(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
        var index = start
        while index < bytes.count, bytes[index].isLetterOrDigit || "_-.$".utf8.contains(bytes[index]) { index += 1 }
        return index > start && index < bytes.count && bytes[index] == UInt8(ascii: "=")
    }

    private func reserve(_ bytes: UnsafeBufferPointer<UInt8>) {
        if text.count < bytes.count {
            text.deallocate()
            text = .allocate(capacity: bytes.count)
        }
        // The shortest parameter that counts is `a=b&`: four bytes, two nodes. One more node for the object.
        let wanted = bytes.count / 2 + 3
        if nodes.count < wanted {
            nodes.deallocate()
            nodes = .allocate(capacity: wanted)
        }
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, at written: inout Int, as kind: json_kind
    ) -> json_node {
        let start = written
        var isASCII = true
        var index = range.lowerBound
        while index < range.upperBound {
            var byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "+") {
                byte = UInt8(ascii: " ")
            } else if byte == UInt8(ascii: "%"), index + 1 < range.upperBound, let high = bytes[index].hexDigit,
                let low = bytes[index + 1].hexDigit
            {
                byte = high << 4 | low
                index += 2
            }
            if byte >= 0x80 { isASCII = false }
            text[written] = byte
            written += 1
        }
        let decoded = UnsafeMutableBufferPointer(rebasing: text[start..<written])
        let isText = isASCII || String(validating: decoded, as: UTF8.self) != nil
        return json_node(
            text: UnsafeMutableRawPointer(decoded.baseAddress)?.assumingMemoryBound(to: CChar.self),
            length: UInt32(decoded.count), span: 1, kind: isText || kind == JSON_NAME ? kind : JSON_BROKEN_STRING)
    }
}
