import Relay
import Testing

@Suite("Integration identifiers")
struct IntegrationIdentifiersTests {
    @Test("have names that lead back to them", arguments: Identifier.allCases)
    func names(identifier: Identifier) {
        #expect(Identifier(name: identifier.name) == identifier)
    }

    @Test("are sixteen in v2 and thirteen in v1")
    func versions() {
        #expect(Identifier.allCases.count { $0.isKnown(to: .v2) } == 16)
        #expect(Identifier.allCases.count { $0.isKnown(to: .v1) } == 13)
        #expect(Identifier(name: "advertising_id") == nil)
    }

    @Test("keep the fields' order, whatever the order they were set in")
    func order() {
        var identifiers = IntegrationIdentifiers()
        for identifier in Identifier.allCases.reversed() { identifiers[identifier] = .text(identifier.name) }
        #expect(identifiers.fields.map(\.identifier) == Identifier.allCases)
        #expect(identifiers.count == 16)
    }

    @Test("tell absent, null and a string apart")
    func presence() {
        var identifiers = IntegrationIdentifiers([.branchID: "b"])
        identifiers[.appsflyerID] = .null
        #expect(identifiers[.appsflyerID] == .null)
        #expect(identifiers[.adjustDeviceID] == nil)
        #expect(String(decoding: identifiers.json, as: UTF8.self) == #"{"appsflyer_id":null,"branch_id":"b"}"#)
        identifiers[.appsflyerID] = nil
        #expect(identifiers == IntegrationIdentifiers([.branchID: "b"]))
    }

    // Regression: a set had room for 16, and a 17th identifier would have been none of any.
    @Test("a set has room for each of them, and tells them apart")
    func sets() {
        let all = IdentifierSet(Identifier.allCases)
        #expect(all.rawValue.nonzeroBitCount == Identifier.allCases.count)
        for identifier in Identifier.allCases {
            #expect(IdentifierSet(identifier).rawValue.nonzeroBitCount == 1 && all.contains(identifier))
        }
    }

    @Test("lose what v1 does not know when limited to it")
    func limited() {
        let identifiers = IntegrationIdentifiers([.posthogDistinctUserID: "p", .branchID: "b"])
        #expect(identifiers.limited(to: .v1) == IntegrationIdentifiers([.branchID: "b"]))
        #expect(identifiers.limited(to: .v2) == identifiers)
    }

    @Test("are escaped where JSON asks for it and nowhere else")
    func escaping() {
        let identifiers = IntegrationIdentifiers([.branchID: "\"\\\n\u{0}é/"])
        #expect(String(decoding: identifiers.json, as: UTF8.self) == #"{"branch_id":"\"\\\u000a\u0000é/"}"#)
    }

    @Test("differ where their bytes do, also where Unicode calls them equivalent")
    func bytes() {
        #expect(IntegrationIdentifiers([.branchID: "e\u{301}"]) != IntegrationIdentifiers([.branchID: "\u{e9}"]))
        #expect(ProfileReference.customerUserID("e\u{301}") != ProfileReference.customerUserID("\u{e9}"))
        #expect(ProfileReference.customerUserID("\u{e9}") == ProfileReference.customerUserID(" \u{e9} "))
    }
}
