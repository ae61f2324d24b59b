import Foundation
import Relay
import Testing

@testable import Vendors

@Suite("What a vendor is told of a request that can never be taken")
struct RefusalPolicyTests {
    /// The statuses with which a request is refused, by the three ways in which it can be.
    private static let unreadable = [400, 415, 417]
    private static let tooLarge = [413, 414, 431]
    private static let wrongMethod = [405]
    /// Of whom it is known that a refusal is neither repeated nor stopped for.
    private static let refused: Set<String> = ["adjust", "appsflyer", "branch"]

    private static func answer(_ status: Int, of vendor: String) throws -> Response {
        try VendorCatalog().dialect(of: vendor).answer(
            Refusal(status, "code", "x"), to: Request(method: .post, path: "/hooks/x", id: UniqueID(high: 1, low: 2)))
    }

    @Test("the table has a row for each of the thirteen vendors, and for nobody else")
    func table() throws {
        #expect(RefusalPolicy.table.count == 13)
        #expect(try RefusalPolicy.table.keys.sorted() == VendorCatalog().vendorNames)
    }

    @Test(
        "unreadable, too large and of a wrong method are refused to whom that does no harm, and 200 to the others",
        arguments: Vendor.builtIn.map(\.name), unreadable + tooLarge + wrongMethod)
    func policy(_ vendor: String, _ status: Int) throws {
        let response = try Self.answer(status, of: vendor)
        #expect(response.status == (Self.refused.contains(vendor) ? status : 200))
        let text = String(decoding: response.body, as: UTF8.self)
        switch vendor {
        case "mixpanel": #expect(text == #"{"status":"failure","error":{"message":"x","code":\#(status)}}"#)
        case _ where Self.refused.contains(vendor): #expect(text.contains(#""status_code":\#(status)"#))
        default:
            #expect(
                text
                    == #"{"accepted":0,"unchanged":0,"skipped":1,"id":"00000000-0000-0001-0000-000000000002"}"#)
        }
    }

    @Test(
        "a wrong credential and what another time may do keep their status for everybody",
        arguments: Vendor.builtIn.map(\.name), [401, 408, 429, 503])
    func others(_ vendor: String, _ status: Int) throws {
        #expect(try Self.answer(status, of: vendor).status == status)
    }

    @Test("a vendor that is declared is one of which nothing is known")
    func declared() throws {
        let catalog = try VendorCatalog(extending: [
            VendorDeclaration(name: "acme", identifiers: [.appsflyerID: ["af"]])
        ])
        let request = Request(method: .post, path: "/hooks/x")
        #expect(catalog.dialect(of: "acme").answer(.malformedBody("x"), to: request).status == 200)
    }

    @Test("the README says of each vendor what it is answered")
    func documented() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        for vendor in Vendor.builtIn.map(\.name) {
            let row = try #require(readme.split(separator: "\n").first { $0.hasPrefix("| `\(vendor)` |") })
            let words = row.split(separator: "|").last?.trimmingCharacters(in: .whitespaces)
            let expected = vendor == "mixpanel" ? "200, `failure`" : Self.refused.contains(vendor) ? "4xx" : "200"
            #expect(words == expected, "\(vendor)")
        }
    }
}
