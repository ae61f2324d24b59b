import Relay
import Testing

@testable import Vendors

@Suite("The fixtures")
struct FixtureTests {
    static let names: [String] = (try? expected().keys.sorted()) ?? []

    private static func expected() throws -> [String: [String]] {
        let bytes = try Sample.fixture("expected.json")
        return try JSONParser().withDocument(bytes) { root in
            var table: [String: [String]] = [:]
            for (name, patches) in root.members {
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

    @Test("none is left out of the table")
    func complete() {
        #expect(Self.names.count == 28)
    }

    @Test("a parameter name that only the customer knows is read once it is configured")
    func tenjin() throws {
        let catalog = try VendorCatalog(
            extending: [.init(name: "tenjin", identifiers: [.tenjinAnalyticsInstallationID: ["aiid"]])])
        let result = try catalog.hook("tenjin", Sample.request(fixture: "tenjin-1.query"))
        #expect(
            result.summary == [
                #"customer_user_id usr-40817 {"tenjin_analytics_installation_id":"5ab3d90c7e2f4b618a4e03c1f7d6092b"}"#
            ])
        #expect(try catalog.hook("tenjin", Sample.request(fixture: "tenjin-3.query")).patches == [])
    }
}
