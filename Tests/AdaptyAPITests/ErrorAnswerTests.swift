import Relay
import Testing

@testable import AdaptyAPI

@Suite("Adapty's words")
struct ErrorAnswerTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let json: String
        let code: String?
        let words: [String]
        var testDescription: String { json }

        init(_ json: String, _ code: String?, _ words: [String]) {
            (self.json, self.code, self.words) = (json, code, words)
        }
    }

    @Test(
        "are read from every shape they come in",
        arguments: [
            Shape(
                #"{"errors":["Invalid API key"],"error_code":"unauthorized","status_code":401}"#, "unauthorized",
                ["Invalid API key"]),
            Shape(
                #"{ "status_code" : 400 , "error_code":"validation_error", "errors" : "#
                    + #"[ { "source" : null , "errors" : ["a","b"] }, {"source":"branch_id","errors":["c"]} ] }"#,
                "validation_error", ["a", "b", "branch_id: c"]),
            Shape(
                #"{"errors":[{"code":"profile_does_not_exist","detail":"No such profile.","#
                    + #""source":{"pointer":"/x"},"status":"404"}]}"#,
                "profile_does_not_exist", ["No such profile."]),
            Shape(#"{"errors":"one string"}"#, nil, ["one string"]),
            Shape(#"{"errors":{"a":1}}"#, nil, []),
            Shape(#"{"errors":[1,null,true,["x"],{"errors":7},"last"]}"#, nil, ["last"]),
            Shape(#"{"detail":"Method not allowed."}"#, nil, ["Method not allowed."]),
            Shape(#"{"message":"Too many requests","error_code":null}"#, nil, ["Too many requests"]),
            Shape(#"{}"#, nil, []),
            Shape("\u{20}\r\n\t{\"error_code\":\"\\u0061\\n\\ud83d\\ude00\\ud800\"}\n", "a \u{1f600}\u{fffd}", []),
            Shape(#"{"error_code":"first","errors":[{"code":"second"}]}"#, "first", []),
            Shape(#"{"error_code":""}"#, nil, []),
        ])
    func shapes(shape: Shape) {
        let answer = ErrorAnswer(Array(shape.json.utf8))
        #expect(answer != nil)
        #expect(answer?.code == shape.code)
        #expect(answer?.words == shape.words)
    }

    @Test(
        "are not read from what is no JSON object",
        arguments: [
            "", " ", "null", "[]", "\"profile_not_found\"", "<html></html>", "{", "{]", "{}x", "{\"a\"}", "{\"a\":}",
            "{\"a\":1,}", "{\"error_code\":\"profile_not_found\"", "{\"error_code\":\"profile_not_found\\",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}", "{\"a\":\"\n\"}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":[1 2]}", "{\"a\":@}",
            "\u{feff}{}",
        ])
    func garbage(text: String) {
        #expect(ErrorAnswer(Array(text.utf8)) == nil)
    }

    @Test("deep nesting is refused, not followed")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((#"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}").utf8)
        }
        #expect(ErrorAnswer(nested(JSONReader.mostDepth - 1)) != nil)
        #expect(ErrorAnswer(nested(JSONReader.mostDepth)) == nil)
        #expect(ErrorAnswer(nested(30_000)) == nil)
    }

    @Test("are bounded, in whole characters and without control characters")
    func bounds() throws {
        let long = String(repeating: "é", count: 5000)
        let answer = try #require(
            ErrorAnswer(Array(#"{"errors":["a\u0000b\r\nc","\#(long)","more"],"error_code":"\#(long)"}"#.utf8)))
        #expect(answer.words.first == "a b  c")
        #expect(answer.words.joined(separator: " ").utf8.count <= ErrorAnswer.mostWordBytes)
        #expect(answer.code == String(repeating: "é", count: 32))
        #expect(!answer.words.joined().unicodeScalars.contains("\u{fffd}"))
    }

    @Test("bytes that are not UTF-8 are repaired")
    func notUTF8() {
        let body = Array(#"{"errors":[""#.utf8) + [0xff, 0xc3] + Array(#""]}"#.utf8)
        #expect(ErrorAnswer(body)?.words == ["\u{fffd}\u{fffd}"])
    }

    @Test("no mutation of an answer breaks the reader")
    func mutations() {
        var generator = SplitMix(state: 7)
        let seed = Array(
            #"{"errors":[{"source":null,"errors":["a\u00e9\ud83d\ude00"]},"b"],"error_code":"c","n":-1.5e9}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = .random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(bytes.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
                if bytes.isEmpty { bytes = [0x7b] }
            }
            // It returns; what it says of such an answer is bounded.
            let answer = ErrorAnswer(bytes)
            #expect((answer?.words.joined().utf8.count ?? 0) <= ErrorAnswer.mostWordBytes)
        }
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }
}
