import CSimdjson
import Glibc
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
        // The next of each, found once: to look for them anew from every parameter would be quadratic.
        var ampersand = -1
        var mark = -1
        while start < bytes.count {
            if ampersand < start { ampersand = Self.next(UInt8(ascii: "&"), in: bytes, start..<bytes.count) }
            if mark < start { mark = Self.next(UInt8(ascii: "?"), in: bytes, start..<bytes.count) }
            var end = ampersand
            let equals = Self.next(UInt8(ascii: "="), in: bytes, start..<end)
            if mark < end, equals < end { end = Self.secondQuery(in: bytes, equals..<end) }
            start += Self.escapedAmpersand(bytes, start)
            if equals + 1 < end {
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

    /// The first such byte of a range, or the range's end.
    private static func next(_ byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        guard let start = bytes.baseAddress, let found = memchr(start + range.lowerBound, Int32(byte), range.count)
        else { return range.upperBound }
        return UnsafeRawPointer(found) - UnsafeRawPointer(start)
    }

    /// The `?` that divides a value, which begins with its `=`; the value's end where none does.
    private static func secondQuery(in bytes: UnsafeBufferPointer<UInt8>, _ value: Range<Int>) -> Int {
        // Each byte is looked at once, however many marks there are.
        var judged = value.lowerBound
        while true {
            let mark = next(UInt8(ascii: "?"), in: bytes, judged..<value.upperBound)
            if mark == value.upperBound || holdsAddress(bytes, judged..<mark) { return value.upperBound }
            if beginsParameter(bytes, mark + 1) { return mark }
            judged = mark + 1
        }
    }

    /// Before the first name.
    private static func prefix(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var start = 0
        if bytes.count >= 3, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf { start = 3 }
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

    /// Whether eight bytes are ASCII, and none of them is `+` or `%`.
    private static func isPlain(_ word: UInt64) -> Bool {
        // The high bit of each byte that is zero, and perhaps of some above it.
        func zeros(_ word: UInt64) -> UInt64 { (word &- 0x0101_0101_0101_0101) & ~word }
        let plus = zeros(word ^ 0x2b2b_2b2b_2b2b_2b2b)
        let percent = zeros(word ^ 0x2525_2525_2525_2525)
        return (word | plus | percent) & 0x8080_8080_8080_8080 == 0
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, at written: inout Int, as kind: json_kind
    ) -> json_node {
        let start = written
        var isASCII = true
        var index = range.lowerBound
        while index < range.upperBound {
            // Eight at once that stand for themselves, as nearly all do. What is decoded is never the longer one.
            if index + 8 <= range.upperBound, let source = bytes.baseAddress, let target = text.baseAddress {
                let word = UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
                if Self.isPlain(word) {
                    UnsafeMutableRawPointer(target + written).storeBytes(of: word, as: UInt64.self)
                    index += 8
                    written += 8
                    continue
                }
            }
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
