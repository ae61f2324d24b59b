import Relay
import Testing

@testable import Vendors

/// One payload of one vendor, and what it must come to.
struct PartnerCase: CustomTestStringConvertible, Sendable {
    let claim: String
    /// JSON where it begins with a bracket, a query otherwise.
    let payload: String
    /// As `Normalization.summary` says it.
    let expected: [String]

    init(_ claim: String, _ payload: String, _ expected: String...) {
        self.claim = claim
        self.payload = payload
        self.expected = expected
    }

    var testDescription: String { claim }

    func check(_ vendor: String) throws {
        let catalog = try VendorCatalog()
        let isJSON = payload.hasPrefix("{") || payload.hasPrefix("[")
        let result = try isJSON ? catalog.hook(vendor, payload) : catalog.hook(vendor, query: payload)
        #expect(result.summary == expected)
    }
}

/// A profile id and a user id for all of them.
let profile = "5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"
