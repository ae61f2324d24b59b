import Foundation
import Relay
import Testing

@Suite("JSON that is written")
struct JSONTextTests {
    @Test("nests, separates and escapes")
    func writes() {
        var json = JSONText()
        json.object { json in
            json.field("a", "x\"y\\z\n\u{1}ü")
            json.object("b") { json in
                json.field("c", 1)
                json.array("d") { json in
                    json.element("e")
                    json.object { $0.field("f", true) }
                    json.object { _ in }
                }
            }
            json.null("g")
            json.field("ms", milliseconds: .microseconds(12_034))
            json.raw("h", Array("[1]".utf8))
            json.splice(Array("{}".utf8))
            json.splice(Array(#"{"i":2,"j":3}"#.utf8))
            json.field("k", -5)
        }
        let nested = #""b":{"c":1,"d":["e",{"f":true},{}]}"#
        let expected = #"{"a":"x\"y\\z\u000a\u0001ü",\#(nested),"g":null,"ms":12.034,"h":[1],"i":2,"j":3,"k":-5}"#
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
    }

    @Test(
        "any string survives the way through another reader",
        arguments: ["", "\u{0}\u{1f}", "🦊\u{7f}", "\\u0041", "'\"/"])
    func survives(text: String) throws {
        var json = JSONText()
        json.object { $0.field(text, text) }
        let read = try JSONDecoder().decode([String: String].self, from: Data(json.bytes))
        #expect(read == [text: text])
    }

    @Test("identifiers are written as the API's flat object, null where null was meant")
    func identifiers() {
        var identifiers = IntegrationIdentifiers([.posthogDistinctUserID: "p", .adjustDeviceID: "a"])
        identifiers[.branchID] = .null
        #expect(identifiers.description == #"{"adjust_device_id":"a","branch_id":null,"posthog_distinct_user_id":"p"}"#)
        #expect(identifiers.limited(to: .v1).description == #"{"adjust_device_id":"a","branch_id":null}"#)
        identifiers[.branchID] = nil
        #expect(identifiers.count == 2)
    }
}
