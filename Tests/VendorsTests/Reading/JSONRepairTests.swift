import Relay
import Testing

@testable import Vendors

@Suite("The second reading of JSON")
struct JSONRepairTests {
    private static func repaired(_ text: String) -> String? { repaired(Array(text.utf8)) }

    private static func repaired(_ bytes: [UInt8]) -> String? {
        bytes.withUnsafeBufferPointer { JSONRepair.repair($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// How a string is marked that is fit to read and no id.
    private static let broken = #"\ud800"#

    @Test(
        "mends what can be mended without guessing",
        arguments: [
            ("{}", "{}"), (" [ ] \u{0}\u{0}", "[]"), ("\u{FEFF}{}", "{}"), (#"{"a":1,"b":[true,null]}"#, nil),
            (#"{"a":}"#, #"{"a":null}"#), (#"{"a":,"b":1}"#, #"{"a":null,"b":1}"#), (#"{"a":1,}"#, #"{"a":1}"#),
            (#"{,"a":1,,"b":2}"#, #"{"a":1,"b":2}"#), ("[1,,2,]", "[1,2]"), ("[,]", "[]"),
            (#"{"a":NaN,"b":-Infinity,"c":undefined,"d":None}"#, #"{"a":null,"b":null,"c":null,"d":null}"#),
            ("{\"a\":\"x\ny\r\t\u{1}\u{1f}\"}", #"{"a":"x\ny\r\t\u0001\u001f"}"#),
            (#"{"a":"He said "hi""}"#, #"{"a":"He said \"hi\"\#(broken)"}"#),
            (#"{"a":"x","b":"y "z", w","c":"v"}"#, #"{"a":"x","b":"y \"z\", w\#(broken)","c":"v"}"#),
            (#"["a "b" c","d"]"#, #"["a \"b\" c\#(broken)","d"]"#),
            (#"{"a"b":1,"c":2}"#, #"{"a\"b\#(broken)":1,"c":2}"#),
            (#"{"a":{"b":"x"},"c":"}"}"#, nil), (#"{"a":"}"","b":1}"#, #"{"a":"}\"\#(broken)","b":1}"#),
            (#"{"a":"\x\'\u12"}"#, #"{"a":"\\x\\'\\u12\#(broken)"}"#), (#"{"a":"\"\\\/\b\u00e9"}"#, nil),
            (
                #"{"a":01,"b":.5,"c":+1,"d":0x1}"#,
                #"{"a":"01\#(broken)","b":".5\#(broken)","c":"+1\#(broken)","d":"0x1\#(broken)"}"#
            ),
            (#"{"a":-1.5e+9,"b":0}"#, nil), (#"{"a": two words ,"b":1}"#, #"{"a":"two words\#(broken)","b":1}"#),
            (#"{"a":"é€😀"}"#, nil), ("{\"a\"\u{1}:\u{0}1}", #"{"a":1}"#),
        ] as [(String, String?)])
    func mends(_ text: String, _ expected: String?) throws {
        let repaired = try #require(Self.repaired(text))
        #expect(repaired == expected ?? text)
        #expect(try JSONTree.parse(repaired) != .null)
    }

    @Test("marks bytes that are not UTF-8, and keeps the string readable")
    func notUTF8() throws {
        for bytes: [UInt8] in [
            [0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xc0, 0x80],
        ] {
            let body = Array(#"{"a":"x"#.utf8) + bytes + Array(#"y","b":"z"}"#.utf8)
            let repaired = try #require(Self.repaired(body))
            #expect(
                repaired.hasPrefix(#"{"a":"x\#u{FFFD}"#) && repaired.hasSuffix(#"y\#(Self.broken)","b":"z"}"#),
                "\(repaired)")
            #expect((try? JSONTree.parse(repaired)) != nil)
        }
    }

    @Test(
        "leaves what is something else",
        arguments: [
            "", " ", "x", "5", #""a""#, "{", "[", #"{"a"#, #"{"a":"b"#, #"{"a":1"#, #"{"a" 1}"#, #"{"a"}"#, "{a:1}",
            "[1 2}",
            #"{"a":1]"#, "{}{}", "{} x", "[}", #"{'a':1}"#, #"{"a":{'b':1}}"#, #"{"a":b"c"}"#, "}", ",", ":",
            // Perhaps two members, perhaps one text.
            #"{"a":"b "c":"d"}"#, #"{"a":"b" "c":"d"}"#, #"{"a":"u"}{"a":"v"}"#, #"{"a":"x\","b":"y"}"#,
            #"{"id":"1","a":"He said "x", "id": "2" ok"}"#, #"{"id":"1","a":"x" y","id":"2"}"#,
            #"{"id":"1","a":{"b":"x" y"},"id":"2"}"#,
        ])
    func leaves(_ text: String) {
        #expect(Self.repaired(text) == nil)
    }

    @Test("nests no deeper than the first reading, and takes time and room in proportion, whatever it is given")
    func bounds() {
        #expect(Self.repaired(String(repeating: "[", count: 128) + String(repeating: "]", count: 128)) != nil)
        #expect(Self.repaired(String(repeating: "[", count: 129) + String(repeating: "]", count: 129)) == nil)
        for unit in [
            #"""#, #"\"#, #"",""#, #"" ,"#, #""}"#, #""a":"#, ",", "\u{1}", " ", #"["", "#, #"{"a":"#, #"",{"#,
        ] {
            for (before, behind) in [("", ""), (#"{"a":""#, #""}"#), (#"["#, #"]"#)] {
                let text = before + String(repeating: unit, count: 100_000 / unit.utf8.count) + behind
                let clock = ContinuousClock()
                var result: String?
                let time = clock.measure { result = Self.repaired(text) }
                #expect((result?.utf8.count ?? 0) <= text.utf8.count * 6 + 64)
                // Quadratic work would take minutes.
                #expect(time < .seconds(20), "\(unit)")
            }
        }
    }

    @Test("is not asked for documents that can be read, nor for lines of them")
    func strictFirst() throws {
        let catalog = try VendorCatalog()
        // Read twice it would be mended: a repeated name, and a string that ends in a backslash.
        let body = #"{"appsflyer_id":"a","customer_user_id":"u\\","appsflyer_id":"b"}"#
        #expect(try catalog.hook("appsflyer", body).summary == [#"customer_user_id u\ {"appsflyer_id":"b"}"#])
    }

    private static let marks = Array("\"\"\"\\,:{}[]\n\u{1}x ".utf8)

    private static func damage(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = marks.randomElement(using: &generator) ?? 0
        default: bytes.insert(marks.randomElement(using: &generator) ?? 0, at: place)
        }
    }

    @Test("makes what can be read, and leaves what is sound as it is", arguments: WrappedPayloadTests.documents)
    func sound(_ name: String) throws {
        let original = try Sample.fixture(name)
        for seed in 1...200 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed)
            var bytes = original
            for _ in 0..<Int.random(in: 0...3, using: &generator) { Self.damage(&bytes, using: &generator) }
            let strict = try? JSONTree.parse(bytes)
            guard let repaired = Self.repaired(bytes) else {
                if let strict { #expect(strict.isScalar) }
                continue
            }
            let tree = try JSONTree.parse(repaired)
            #expect(Self.repaired(repaired) == repaired)
            if let strict { #expect(tree == strict) }
        }
    }

    @Test("never gives one person the ids of another")
    func people() throws {
        let catalog = try VendorCatalog()
        let events = (1...4).map { #"{"appsflyer_id":"A\#($0)","customer_user_id":"U\#($0)","note":"He said hi"}"# }
        let texts = [
            "[" + events.joined(separator: ",") + "]", events.joined(separator: "\n"), events.joined(),
            #"{"data":["# + events.joined(separator: ", ") + "]}",
        ]
        var read = 0
        for seed in 1...6000 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed)
            var bytes = Array(texts[Int(seed % 4)].utf8)
            for _ in 0..<Int.random(in: 1...2, using: &generator) { Self.damage(&bytes, using: &generator) }
            // What can be read at once says what it says.
            guard (try? JSONTree.parse(bytes)) == nil else { continue }
            guard let result = try? catalog.hook("appsflyer", Sample.request(bytes, type: nil)) else { continue }
            for patch in result.patches {
                // Whose number was damaged cannot be told apart here.
                guard case .text(let id)? = patch.identifiers[.appsflyerID], id.last?.isNumber == true,
                    patch.profile.value.last?.isNumber == true
                else { continue }
                read += 1
                #expect(id.last == patch.profile.value.last, "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(read > 1000)
    }
}

extension JSONTree {
    fileprivate var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}
