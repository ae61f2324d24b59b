import Testing

@testable import Vendors

@Suite("The JSON parser")
struct JSONParserTests {
    @Test(
        "reads what RFC 8259 allows",
        arguments: [
            "{}", "[]", "0", "-0", "1", "-1.5e+10", "0.0", "1E400", "true", "false", "null", "\"\"", " [ 1 , 2 ] ",
            "\t{\r\n\"a\" : [ ] }", "[[],{},[{}]]", #"["\"\\\/\b\f\n\r\t\u0041"]"#, "[\"é\u{1F600}\"]", "\u{FEFF}{}",
            "{\"\":0}", "{\"a\":1,\"a\":2}",
            "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27]",
        ])
    func accepts(_ text: String) throws {
        _ = try JSONTree.parse(text)
    }

    @Test(
        "refuses everything else, whatever it begins with",
        arguments: [
            ("", JSONFault.Reason.empty), (" \n", .empty), ("\u{FEFF}", .empty),
            ("{", .unclosed), ("[", .unclosed), ("[1", .unclosed), ("[1,", .unclosed), ("{\"a\"", .unclosed),
            ("{\"a\":", .unclosed), ("{\"a\":1", .unclosed), ("{\"a\":1,", .unclosed), ("[[]", .unclosed),
            ("[1,]", .unexpected), ("[,1]", .unexpected), ("[1,,2]", .unexpected), ("[1 2]", .unexpected),
            ("[1:2]", .unexpected), ("{,}", .unexpected), ("{\"a\":1,}", .unexpected), ("{\"a\" 1}", .unexpected),
            ("{\"a\"::1}", .unexpected), ("{\"a\",1}", .unexpected), ("{1:2}", .unexpected), ("{a:1}", .unexpected),
            ("{\"a\":1 \"b\":2}", .unexpected), ("{null:1}", .unexpected), ("]", .unexpected), ("}", .unexpected),
            (":", .unexpected), (",", .unexpected), ("[1}", .unexpected), ("{\"a\":1]", .unexpected),
            ("{\"a\":]}", .unexpected), ("[{]}", .unexpected), ("[\"a\"x]", .unexpected),
            ("{\"a\":\"b\"c}", .unexpected),
            ("1 2", .trailing), ("{}{}", .trailing), ("{} x", .trailing), ("[]]", .trailing), ("{}}", .trailing),
            ("\"a\" \"b\"", .trailing), ("null,", .trailing), ("[1]\n[2]", .trailing),
            ("01", .badNumber), ("-", .badNumber), ("1.", .badNumber), ("-.5", .badNumber), ("1e", .badNumber),
            ("1e+", .badNumber), ("1.e5", .badNumber), ("0x10", .badNumber), ("1a", .badNumber), ("--1", .badNumber),
            ("1.2.3", .badNumber), ("-Infinity", .badNumber), ("1_000", .badNumber), ("[-]", .badNumber),
            ("123\u{0C}", .badNumber), ("12\u{0}", .badNumber), ("1\"", .unclosedString),
            (".5", .badLiteral), ("+1", .badLiteral), ("nul", .badLiteral), ("nulls", .badLiteral),
            ("True", .badLiteral),
            ("tru", .badLiteral), ("falsey", .badLiteral), ("NaN", .badLiteral), ("Infinity", .badLiteral),
            ("undefined", .badLiteral), ("'a'", .badLiteral), ("/* */1", .badLiteral), ("\u{0C}", .badLiteral),
            ("[\u{0B}1]", .badLiteral), ("\u{A0}1", .badLiteral), ("a", .badLiteral), ("[1]//", .trailing),
            ("\"", .unclosedString), ("[\"a]", .unclosedString), ("\"\\\"", .unclosedString), ("{\"a", .unclosedString),
            ("\"a\nb\"", .controlInString), ("\"a\tb\"", .controlInString), ("[\"\u{0}\"]", .controlInString),
            ("\"\\x41\"", .badEscape), ("\"\\'\"", .badEscape), ("\"\\u12\"", .badEscape), ("\"\\u12G4\"", .badEscape),
            ("\"\\U0041\"", .badEscape), ("\"\\u\"", .badEscape), ("{\"\\q\":1}", .badEscape),
            ("\"\\ud800\\u12\"", .badEscape),
        ] as [(String, JSONFault.Reason)])
    func refuses(_ text: String, _ reason: JSONFault.Reason) {
        #expect(performing: { try JSONTree.parse(text) }, throws: { ($0 as? JSONFault)?.reason == reason })
    }

    @Test(
        "refuses bytes that are not UTF-8, in strings and outside",
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x80, 0x22], [0x5b, 0xff, 0x5d], [0xfe, 0xff, 0x00, 0x5b],
            [0x22, 0xe2, 0x82],
        ] as [[UInt8]])
    func invalidUTF8(_ bytes: [UInt8]) {
        #expect(throws: JSONFault.self) { try JSONTree.parse(bytes) }
    }

    @Test(
        "keeps a number's digits as they were sent, at any length",
        arguments: [
            "14820355917743086215", "-9223372036854775809", "18446744073709551616", "457624031399716729",
            "1.10", "1e2", String(repeating: "9", count: 5000),
        ])
    func digits(_ digits: String) throws {
        #expect(try JSONTree.parse("{\"id\":\(digits)}") == .object([.init(name: "id", value: .number(digits))]))
    }

    @Test(
        "undoes escapes",
        arguments: [
            (#""\u0041\u00e9\u20ac""#, "Aé€"), (#""\ud83d\ude00\uD83D\uDE00""#, "\u{1F600}\u{1F600}"),
            (#""\/\\\"\b\f\n\r\t""#, "/\\\"\u{8}\u{c}\n\r\t"), (#""a\u0000b""#, "a\u{0}b"), (#""\\u0041""#, "\\u0041"),
            (#""x\\""#, "x\\"), (#""\\\\""#, "\\\\"),
        ])
    func escapes(_ text: String, _ expected: String) throws {
        #expect(try JSONTree.parse(text) == .string(expected))
        #expect(try JSONTree.parse("{\(text) : 1}") == .object([.init(name: expected, value: .number("1"))]))
    }

    @Test(
        "reads a document with half of a surrogate pair, and says which string is broken",
        arguments: [
            #"\ud800"#, #"\udc00"#, #"x\ud83dx"#, #"\ud83d\ud83d"#, #"\udc00\ud83d"#, #"\ud83d\n"#, #"\ud83d\u0041"#,
            #"\uDBFF"#,
        ])
    func loneSurrogates(_ escape: String) throws {
        let bytes = Array("{\"a\":\"\(escape)\",\"b\":\"whole\",\"\(escape)\":1}".utf8)
        try JSONParser().withDocument(bytes) { root in
            let broken = root["a"]
            #expect(broken?.kind == .brokenString)
            #expect(broken?.string == nil)
            #expect(broken.flatMap { String(validating: $0.text, as: UTF8.self) }?.contains("\u{FFFD}") == true)
            #expect(root["b"]?.string == "whole")
            for (name, _) in root.members { #expect(String(validating: name, as: UTF8.self) != nil) }
        }
    }

    @Test("goes 128 levels deep and no deeper, however deep a document is", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func depth(_ opening: String) throws {
        let levels = opening.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        let closing = String(opening.reversed().compactMap { $0 == "[" ? "]" : $0 == "{" ? "}" : nil })
        let fits = 128 / levels
        let inner = opening.hasSuffix(":") ? "1" : ""
        func nested(_ count: Int) -> String {
            String(repeating: opening, count: count) + inner + String(repeating: closing, count: count)
        }
        _ = try JSONTree.parse(nested(fits))
        #expect(
            performing: { try JSONTree.parse(nested(fits + 1)) }, throws: { ($0 as? JSONFault)?.reason == .tooDeep })
        let million = String(repeating: opening, count: 1_000_000)
        #expect(performing: { try JSONTree.parse(million) }, throws: { ($0 as? JSONFault)?.reason == .tooDeep })
    }

    @Test("says near which byte it failed")
    func offset() {
        #expect(performing: { try JSONTree.parse("{\"abc\": tru}") }, throws: { ($0 as? JSONFault)?.offset == 8 })
    }

    @Test("reads large documents, and small ones after them")
    func large() throws {
        let parser = JSONParser()
        let member = "{\"user_id\":\"жанна@пример.рф\",\"n\":[1,2,{\"x\":\"\\u20ac\"}]}"
        let big = Array(("[" + Array(repeating: member, count: 60_000).joined(separator: ",") + "]").utf8)
        guard case .array(let members) = try JSONTree.parse(big, with: parser) else {
            Issue.record("not an array")
            return
        }
        #expect(members.count == 60_000)
        #expect(members.first == members.last)
        #expect(try JSONTree.parse(Array("[1]".utf8), with: parser) == .array([.number("1")]))
    }

    @Test("reads a document that ends exactly where a vector does", arguments: 1...200)
    func edges(_ length: Int) throws {
        let text = String(repeating: "x", count: length)
        #expect(try JSONTree.parse("\"\(text)\"") == .string(text))
        #expect(throws: JSONFault.self) { try JSONTree.parse("\"\(text)") }
        #expect(throws: JSONFault.self) { try JSONTree.parse("[\"\(text)\"") }
        let digits = String(repeating: "7", count: length)
        #expect(try JSONTree.parse(digits) == .number(digits))
    }

    @Test("of members with one name the last is found")
    func duplicates() throws {
        let bytes = Array(#"{"a":1,"b":{"a":2},"a":"last"}"#.utf8)
        let last = try JSONParser().withDocument(bytes) { $0["a"]?.string }
        #expect(last == "last")
    }

    @Test("what was written comes back as it was", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let tree = JSONTree.random(depth: 6, using: &generator)
        #expect(try JSONTree.parse(tree.text()) == tree)
        #expect(try JSONTree.parse(tree.text(isEscaping: true)) == tree)
    }

    @Test("a document with one byte changed or cut is read or refused, never worse", arguments: 0..<60 as Range<UInt64>)
    func damage(_ seed: UInt64) {
        var generator = SeededGenerator(seed)
        let parser = JSONParser()
        let bytes = Array(JSONTree.random(depth: 6, using: &generator).text().utf8)
        for _ in 0..<200 {
            var damaged = bytes
            let place = Int.random(in: 0..<damaged.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: damaged[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: damaged.removeSubrange(place...)
            default: damaged.insert("\\\"{}[]:,0-u\u{0}".utf8.randomElement(using: &generator) ?? 0, at: place)
            }
            // What it accepts must be a document: written again it reads the same.
            guard let tree = try? JSONTree.parse(damaged, with: parser) else { continue }
            #expect((try? JSONTree.parse(tree.text())) == tree)
        }
    }
}

extension JSONTree {
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSONTree {
        let alphabet = Array("ab0 \"\\/\u{7}\n\t{}[]:,é€\u{1F600}\u{0}".unicodeScalars)
        func text() -> String {
            var text = ""
            for _ in 0..<Int.random(in: 0..<90, using: &generator) where Bool.random(using: &generator) {
                if let scalar = alphabet.randomElement(using: &generator) { text.unicodeScalars.append(scalar) }
            }
            return text
        }
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .number(["0", "-1", "12.5e-3", "14820355917743086215"].randomElement(using: &generator) ?? "0")
        case 3, 4: return .string(text())
        case 5:
            return .array(
                (0..<Int.random(in: 0..<6, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            return .object(
                (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
                    Member(name: text(), value: random(depth: depth - 1, using: &generator))
                })
        }
    }
}
