import Relay
import Testing

@testable import Vendors

@Suite("The fixtures")
struct FixtureTests {
    static let names: [String] = (try? expected().keys.sorted().filter(isKnown)) ?? []

    private static func isKnown(_ name: String) -> Bool {
        (try? VendorCatalog().knows(vendor: String(name.prefix { $0 != "-" }))) ?? false
    }

    private static func expected() throws -> [String: [String]] {
        let bytes = try Sample.fixture("expected.json")
        let parser = JSONParser()
        return try bytes.withUnsafeBufferPointer { bytes in
            var table: [String: [String]] = [:]
            for (name, patches) in try parser.parse(bytes).members {
                table[String(decoding: name, as: UTF8.self)] = patches.elements.map(line)
            }
            return table
        }
    }

    private static func line(_ patch: JSONValue) -> String {
        var identifiers = IntegrationIdentifiers()
        guard let members = patch["identifiers"]?.members else { return "" }
        for (name, value) in members {
            guard let identifier = Identifier(name: String(decoding: name, as: UTF8.self)) else { continue }
            identifiers[identifier] = value.string.map { .text($0) }
        }
        let key = patch["profile_id"] == nil ? "customer_user_id" : "profile_id"
        return "\(key) \(patch[key]?.string ?? "") \(identifiers)"
    }

    @Test("each comes to exactly the patches that stand beside it", arguments: names)
    func patches(_ name: String) throws {
        let vendor = String(name.prefix { $0 != "-" })
        let result = try VendorCatalog().hook(vendor, Sample.request(fixture: name))
        #expect(
            result.patches.map { "\($0.profile.key) \($0.profile.value) \($0.identifiers)" }
                == (try Self.expected()[name]))
    }
}
