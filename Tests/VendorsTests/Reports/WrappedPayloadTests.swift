import Foundation
import Relay
import Testing

@testable import Vendors

/// What stands between a vendor and us puts things around a payload, calls it something else, or damages a byte. None
/// of that changes what it says.
@Suite("Payloads in other clothes")
struct WrappedPayloadTests {
    private static func isJSON(_ name: String) -> Bool { name.hasSuffix(".json") }
    static let documents = FixtureTests.names.filter(isJSON)

    private let catalog: VendorCatalog

    init() throws {
        catalog = try VendorCatalog()
    }

    private func read(_ name: String, _ body: [UInt8], type: String? = "application/json") throws -> [Patch] {
        try catalog.hook(String(name.prefix { $0 != "-" }), Sample.request(body, type: type)).patches
    }

    private func expected(_ name: String) throws -> [Patch] {
        try catalog.hook(String(name.prefix { $0 != "-" }), Sample.request(fixture: name)).patches
    }

    /// A query is a form's body too.
    private static func type(_ name: String) -> String {
        isJSON(name) ? "application/json" : "application/x-www-form-urlencoded"
    }

    @Test("come to the same under every label", arguments: FixtureTests.names)
    func labels(_ name: String) throws {
        let body = try Sample.fixture(name)
        for type in [
            "application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream",
            "application/x-ndjson", "text/xml", "multipart/form-data; boundary=x", "image/png", "", nil,
        ] {
            #expect(try read(name, body, type: type) == expected(name), "\(type ?? "none")")
        }
    }

    @Test("come to the same behind byte order marks and blanks, and before padding", arguments: FixtureTests.names)
    func marks(_ name: String) throws {
        let body = try Sample.fixture(name)
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let blanks = Array(" \r\n\t".utf8)
        for before in [mark, mark + mark, blanks + mark, mark + blanks] {
            for type in [Self.type(name), nil, "application/octet-stream"] {
                #expect(try read(name, before + body + blanks, type: type) == expected(name))
            }
        }
        guard Self.isJSON(name) else { return }
        for behind in [[0], [UInt8](repeating: 0, count: 512), [0x0a, 0], [0x1a]] {
            #expect(try read(name, body + behind) == expected(name))
        }
    }

    @Test("come to the same within each envelope", arguments: documents)
    func envelopes(_ name: String) throws {
        let tree = try JSONTree.parse(Sample.fixture(name))
        let text = JSONTree.string(tree.text())
        let base64 = JSONTree.string(Data(tree.text().utf8).base64EncodedString())
        func object(_ members: [(String, JSONTree)]) -> JSONTree {
            .object(members.map { .init(name: $0.0, value: $0.1) })
        }
        let event = [("specversion", JSONTree.string("1.0")), ("id", .string("1")), ("source", .string("/s"))]
        let message = object([("data", base64), ("messageId", .string("1"))])
        let envelopes = [
            ("a JSON string", text), ("data", object([("data", tree)])), ("data as a string", object([("data", text)])),
            ("payload", object([("payload", tree)])), ("body", object([("body", text)])),
            ("a CloudEvent", object(event + [("data", tree)])),
            ("a CloudEvent in base64", object(event + [("data_base64", base64)])),
            ("a Pub/Sub push", object([("message", message), ("subscription", .string("s"))])),
        ]
        for (envelope, tree) in envelopes {
            #expect(try read(name, Array(tree.text().utf8)) == expected(name), "\(envelope)")
        }
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        let form = "payload=" + (tree.text().addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
        #expect(try read(name, Array(form.utf8), type: "application/x-www-form-urlencoded") == expected(name))
    }

    @Test("come to the same with a bad byte in a value that nobody reads", arguments: documents)
    func badBytes(_ name: String) throws {
        let tree = try JSONTree.parse(Sample.fixture(name))
        guard case .object(let members) = tree else { return }
        let expected = try expected(name)
        let bad: [[UInt8]] = [
            [0x00], [0x0a], [0x0d, 0x0a], [0x1f], Array("\"".utf8), Array("\"hi\"".utf8), [0xff], [0xc3], [0xed, 0xa0],
            Array("\\x".utf8), Array("\\u12".utf8),
        ]
        for place in 0...members.count {
            for bytes in bad {
                var changed = members
                changed.insert(.init(name: "note", value: .string("before MARK behind")), at: place)
                let body = Array(JSONTree.object(changed).text().utf8).replacing("MARK".utf8, with: bytes)
                #expect(try read(name, body) == expected, "\(bytes) at \(place)")
            }
            for word in ["NaN", "-Infinity", "undefined", "None", "", "0x1f", "01", "1.", "two words"] {
                var changed = members
                changed.insert(.init(name: "note", value: .number("MARK")), at: place)
                let body = JSONTree.object(changed).text().replacing("MARK", with: word)
                #expect(try read(name, Array(body.utf8)) == expected, "\(word) at \(place)")
            }
        }
        let trailing = tree.text().dropLast() + ",}"
        #expect(try read(name, Array(trailing.utf8)) == expected)
    }

    @Test("with a bad byte anywhere never come to an id that was not whole", arguments: documents)
    func damagedIDs(_ name: String) throws {
        let body = try Sample.fixture(name)
        let texts = try JSONTree.parse(body).texts
        for (seed, bytes) in [[UInt8(ascii: "\"")], [0x0a], [0xff], [UInt8(ascii: "\\")], [UInt8(ascii: ",")]]
            .enumerated()
        {
            for place in stride(from: seed, to: body.count, by: 3) {
                let damaged = body[..<place] + bytes + body[place...]
                guard let patches = try? read(name, Array(damaged)) else { continue }
                for patch in patches {
                    for (identifier, value) in patch.identifiers.fields {
                        guard case .text(let id) = value else { continue }
                        #expect(Self.isWhole(id, among: texts), "\(identifier.name) is \(id), at \(place)")
                    }
                    #expect(Self.isWhole(patch.profile.value, among: texts), "\(patch.profile.value), at \(place)")
                }
            }
        }
    }

    /// A comma within an id is an id as whole as any other.
    private static func isWhole(_ id: String, among texts: Set<String>) -> Bool {
        texts.contains { $0 == id || $0.lowercased() == id || $0 == id.replacing(",", with: "") }
    }
}
