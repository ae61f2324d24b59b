import CSimdjson
import Relay

@testable import AdaptyAPI
@testable import Vendors

extension Fuzzer {
    /// The parser of payloads: what it takes, it takes again once written down, and the other reader of JSON that
    /// Patchbay has takes it too.
    static let json = Fuzzer(
        name: "JSON", words: ["\\u0000", "\\ud83d\\ude00", "\\udc00", "null", "true", "1e-9", "-0", "{\"\":", "[["],
        seeds: { repository in
            try repository.files(in: "Tests/VendorsTests/Fixtures", ".json").map(\.bytes)
                + [#"[1,-0.5e+9,"\ud83d\ude00\u0000é",{"a":{"a":[]}},null,true,false]"#, "\"\\ud800\"", "[[[[[[]]]]]]"]
                .map { Array($0.utf8) }
        },
        run: { input in
            let bytes = Array(input.rest)
            guard
                let (text, depth, isSound) = try? JSONParser().withDocument(
                    bytes, { ($0.written, $0.depth, $0.isSound) })
            else { return }
            claim(isSound, "a node reaches beyond its parent")
            let again = try? JSONParser().withDocument(text) { $0.written }
            claim(again == text, "written down it is another document: \(String(decoding: text, as: UTF8.self))")
            if depth <= JSONReader.mostDepth {
                var reader = JSONReader(text)
                let isTaken = (try? reader.skip()) != nil && (try? reader.end()) != nil
                claim(isTaken, "the reader of answers refuses it: \(String(decoding: text, as: UTF8.self))")
            }
        })
}

extension Fuzzer {
    /// The second reading: what it makes can be read, is not much longer, and is left alone by a third; and what could
    /// be read at once says the same after it.
    static let repair = Fuzzer(
        name: "JSONRepair", mostBytes: 2048,
        words: [
            "\"\"", "\":", "\",\"", "\"}", "\\\"", "\\u", "NaN", ",}", ":,", "\u{1}", "undefined", "{\"a\":\"", "\"]",
        ],
        seeds: { repository in
            try repository.files(in: "Tests/VendorsTests/Fixtures", ".json").map(\.bytes)
                + [
                    #"{"a":"He said "hi"","b":,"c":NaN,}"#, "{\"a\":\"x\ny\"}", #"["a "b" c",,1]"#,
                    #"{"a":two words,"b":01}"#,
                ]
                .map { Array($0.utf8) }
        },
        run: { input in
            let bytes = Array(input.rest)
            guard let repaired = bytes.withUnsafeBufferPointer({ JSONRepair.repair($0) }) else { return }
            claim(repaired.count <= bytes.count * 6 + 64, "\(bytes.count) bytes became \(repaired.count)")
            guard let text = try? JSONParser().withDocument(repaired, { $0.written }) else {
                claim(false, "it cannot be read: \(String(decoding: repaired, as: UTF8.self))")
                return
            }
            let again = repaired.withUnsafeBufferPointer { JSONRepair.repair($0) }
            claim(again == repaired, "mended again it is another: \(String(decoding: repaired, as: UTF8.self))")
            guard let strict = try? JSONParser().withDocument(bytes, { $0.written }) else { return }
            claim(strict == text, "it was sound, and is another: \(String(decoding: text, as: UTF8.self))")
        })
}

extension JSONValue {
    /// As JSON without blanks.
    fileprivate var written: [UInt8] {
        switch kind {
        case .null, .bool, .number: Array(text)
        case .string, .brokenString: Self.quoted(text)
        case .array: [0x5b] + elements.map(\.written).joined(separator: [0x2c]) + [0x5d]
        case .object:
            [0x7b] + members.map { Self.quoted($0.name) + [0x3a] + $0.value.written }.joined(separator: [0x2c]) + [0x7d]
        }
    }

    /// The object of one member has the name between quotes; JSONText escapes it.
    private static func quoted(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var json = JSONText()
        json.array { $0.element(String(decoding: text, as: UTF8.self)) }
        return Array(json.bytes.dropFirst().dropLast())
    }

    fileprivate var depth: Int {
        switch kind {
        case .array: 1 + (elements.map(\.depth).max() ?? 0)
        case .object: 1 + (members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }

    /// Whether the children fill exactly what their parent says it spans.
    fileprivate var isSound: Bool {
        let children = isObject ? members.map(\.value) : Array(elements)
        let names = isObject ? children.count : 0
        return Int(node.pointee.span) == 1 + names + children.reduce(0) { $0 + Int($1.node.pointee.span) }
            && children.allSatisfy(\.isSound)
    }
}
