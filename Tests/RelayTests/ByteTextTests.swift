import Relay
import Testing

@Suite("Bytes that grow")
struct ByteTextTests {
    private func written(reserving capacity: Int = 0, _ write: (inout ByteText) -> Void) -> String {
        var text = ByteText(reserving: capacity)
        write(&text)
        #expect(text.count == text.bytes.count)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test("whatever is appended stands there in its order, however often the memory had to grow")
    func grows() {
        let pieces = (0..<500).map { String(repeating: "ä", count: $0 % 40) }
        let text = written { text in for piece in pieces { text.append(piece) } }
        #expect(text == pieces.joined())
    }

    @Test(
        "numbers are written with all digits, and zeros in front up to a width",
        arguments: [(0, 1, "0"), (7, 3, "007"), (1234, 3, "1234"), (.max, 1, "18446744073709551615"), (5, 25, nil)]
            as [(UInt64, Int, String?)])
    func numbers(value: UInt64, width: Int, expected: String?) {
        let text = written { $0.append(decimal: value, width: width) }
        #expect(text == expected ?? String(repeating: "0", count: width - 1) + "5")
    }

    @Test("a UUID is written digit by digit, as it is read")
    func uuids() throws {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<1000).map { _ in UniqueID(high: generator.next(), low: generator.next()) }
        for id in ids + [UniqueID(high: 0, low: .max), UniqueID(high: 0x0123_4567_89ab_cdef, low: 0)] {
            let digits = [id.high, id.low].map { word in
                let text = String(word, radix: 16)
                return String(repeating: "0", count: 16 - text.count) + text
            }.joined()
            let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { range in
                String(Array(digits)[range])
            }
            #expect(written { $0.append(id) } == parts.joined(separator: "-"))
            #expect(UniqueID(id.description) == id)
        }
    }

    @Test("memory that is used again holds nothing of what was there")
    func usedAgain() {
        let text = written { text in
            text.append("a long text that was here before")
            text.removeAll()
            text.append("new")
        }
        #expect(text == "new")
    }
}

@Suite("Bytes that are looked for, eight at a time")
struct ByteSearchTests {
    @Test("are found wherever they stand, and nothing else is", arguments: 0...40)
    func found(length: Int) {
        func holds(_ bytes: [UInt8]) -> Bool {
            bytes.withUnsafeBufferPointer { $0.holdsAny(below: 0x20, or: 0x22, 0x5c) }
        }
        func holdsNonASCII(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { $0.holdsNonASCII } }
        // Those next to the ones that are looked for, where a borrow would show.
        let others: [UInt8] = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f]
        for other in others + [0x80, 0xa2, 0xdc, 0xff] {
            let plain = [UInt8](repeating: other, count: length)
            #expect(!holds(plain))
            #expect(holdsNonASCII(plain) == (other >= 0x80 && length > 0))
            for place in 0..<length {
                for byte in [0, 0x1f, 0x22, 0x5c] as [UInt8] {
                    var bytes = plain
                    bytes[place] = byte
                    #expect(holds(bytes))
                }
            }
        }
    }

    @Test("control characters of both kinds are seen, and letters that begin like one are not")
    func controls() {
        func holds(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBufferPointer { $0.holdsControls }
        }
        for text in ["", "usr_1", "é", "Â£ and Â", "a long text with é and £ in it"] { #expect(!holds(text)) }
        for text in ["\n", "a\u{7f}", "\u{80}", "a long text with \u{9f} in it", "\u{85}é"] { #expect(holds(text)) }
    }
}
