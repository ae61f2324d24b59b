import Relay
import Testing

@testable import Vendors

@Suite("Damaged payloads")
struct DamagedPayloadTests {
    @Test("never come to an id or a profile that was not in them", arguments: FixtureTests.names)
    func invention(_ name: String) throws {
        let catalog = try VendorCatalog()
        let vendor = String(name.prefix { $0 != "-" })
        let original = try Self.tree(of: name)
        for seed in 1...150 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed)
            var tree = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) { tree.damage(using: &generator) }
            let text = tree.text(isEscaping: seed % 3 == 0)
            let result = try catalog.hook(vendor, text)
            let there = tree.texts
            for patch in result.patches {
                for (identifier, value) in patch.identifiers.fields {
                    guard case .text(let id) = value else {
                        Issue.record("\(identifier.name) is null: \(text)")
                        continue
                    }
                    #expect(there.contains(id), "\(identifier.name) from nowhere: \(text)")
                }
                switch patch.profile {
                case .profileID(let id): #expect(there.contains { UniqueID($0) == id }, "profile from nowhere: \(text)")
                case .customerUserID(let id): #expect(there.contains(id.text), "user from nowhere: \(text)")
                }
            }
        }
    }

    @Test("as bytes are read or refused with 400", arguments: FixtureTests.names)
    func bytes(_ name: String) throws {
        let catalog = try VendorCatalog()
        let vendor = String(name.prefix { $0 != "-" })
        let original = try Sample.fixture(name)
        for seed in 1...100 as ClosedRange<UInt64> {
            var generator = SeededGenerator(seed)
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                if Bool.random(using: &generator) {
                    bytes[place] = UInt8.random(in: 0...255, using: &generator)
                } else {
                    bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &generator)))
                }
            }
            let request =
                name.hasSuffix(".query")
                ? Sample.request(query: String(decoding: bytes, as: UTF8.self), method: .get) : Sample.request(bytes)
            do {
                _ = try catalog.hook(vendor, request)
            } catch {
                #expect(error.code == "malformed_body")
            }
        }
    }

    /// A form or a query is an object of strings here too.
    private static func tree(of name: String) throws -> JSONTree {
        let bytes = try Sample.fixture(name)
        guard name.hasSuffix(".form") || name.hasSuffix(".query") else { return try JSONTree.parse(bytes) }
        let parameters = Parameters()
        return bytes.withUnsafeBufferPointer { bytes in
            withExtendedLifetime(parameters) { parameters.parse(bytes).map { JSONTree($0) } ?? .null }
        }
    }
}

extension JSONTree {
    /// Every string and number in it, also in JSON within strings, without the blanks around.
    var texts: Set<String> {
        switch self {
        case .null, .bool: []
        case .number(let digits): [digits]
        case .string(let text):
            Set([String(text.trimmingBlanks)]).union((try? JSONTree.parse(text))?.texts ?? [])
        case .array(let elements): elements.reduce(into: []) { $0.formUnion($1.texts) }
        case .object(let members): members.reduce(into: []) { $0.formUnion($1.value.texts) }
        }
    }

    /// Changes one thing somewhere: removes, empties, retypes, nests, repeats, swaps or swells a value.
    mutating func damage(using generator: inout SeededGenerator) {
        switch self {
        case .object(var members) where !members.isEmpty && Int.random(in: 0..<4, using: &generator) > 0:
            let place = Int.random(in: 0..<members.count, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: members.remove(at: place)
            case 1:
                var copy = members[place]
                copy.value.damage(using: &generator)
                members.append(copy)
            case 2:
                let other = Int.random(in: 0..<members.count, using: &generator)
                let value = members[place].value
                members[place].value = members[other].value
                members[other].value = value
            case 3: members[place].name = members[place].name.uppercased()
            default: members[place].value.damage(using: &generator)
            }
            self = .object(members)
        case .array(var elements) where !elements.isEmpty && Int.random(in: 0..<4, using: &generator) > 0:
            let place = Int.random(in: 0..<elements.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: elements.remove(at: place)
            case 1: elements.append(elements[place])
            default: elements[place].damage(using: &generator)
            }
            self = .array(elements)
        default:
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: self = .null
            case 1: self = .bool(true)
            case 2: self = .number("98765432109876543210")
            case 3: self = .number("1.5")
            case 4: self = .string("")
            case 5: self = .string(String(repeating: "x", count: 3000))
            case 6: self = .array([self])
            case 7: self = .object([.init(name: "id", value: self)])
            case 8: self = .string(" " + text() + "\n")
            case 9: self = .string("{{macro}}")
            case 10: self = .string("a\u{0}\r\nb")
            default: self = .string("5F2C1E0A-7D43-4B8E-9A61-0C3D9E7F4B12")
            }
        }
    }
}
