import Relay
import Testing

@testable import Vendors

@Suite("Whom a caller means that may name one profile only")
struct SubjectTests {
    private let catalog: VendorCatalog

    init() throws {
        catalog = try VendorCatalog()
    }

    private func subject() throws -> Subject { Subject(try #require(.customerUserID("usr_1"))) }

    private static let doors: [Entrance] = [.client(vendor: "amplitude"), .dropIn(.v1), .dropIn(.v2)]
    private static let body = #"{"amplitude_user_id":"a"}"#

    @Test("a request that names nobody is about its subject", arguments: doors)
    func unnamed(_ door: Entrance) throws {
        let request = Sample.request(Self.body, type: "application/json")
        let read = try catalog.normalize(request, through: door, of: subject())
        #expect(read.summary == [#"customer_user_id usr_1 {"amplitude_user_id":"a"}"#])
        #expect(try catalog.profile(of: Sample.request(), of: subject()) == subject().reference)
        #expect(throws: Refusal.noProfile) { try catalog.normalize(request, through: door, of: nil) }
        #expect(throws: Refusal.noProfile) { try catalog.profile(of: Sample.request(), of: nil) }
    }

    @Test("a name in the request counts, for whoever is asked next to allow or refuse it", arguments: doors)
    func named(_ door: Entrance) throws {
        let request = Sample.request(
            Self.body, type: "application/json", headers: [Field("adapty-customer-user-id", "usr_2")])
        let read = try catalog.normalize(request, through: door, of: subject())
        #expect(read.patches.map(\.profile.value) == ["usr_2"])
        #expect(try catalog.profile(of: request, of: subject()).value == "usr_2")
    }

    @Test("a name in the body counts too")
    func namedInBody() throws {
        let request = Sample.request(
            #"{"amplitude_user_id":"a","adapty_customer_user_id":"usr_2"}"#, type: "application/json")
        let read = try catalog.normalize(request, through: .client(vendor: "amplitude"), of: subject())
        #expect(read.patches.map(\.profile.value) == ["usr_2"])
    }

    @Test("a name that is none is a mistake, not the subject")
    func badName() throws {
        let request = Sample.request(
            Self.body, type: "application/json", headers: [Field("adapty-profile-id", "no-uuid")])
        #expect(throws: Refusal.self) { try catalog.normalize(request, through: .dropIn(.v2), of: subject()) }
        #expect(throws: Refusal.self) { try catalog.profile(of: request, of: subject()) }
    }
}
