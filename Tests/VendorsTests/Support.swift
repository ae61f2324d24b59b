import Foundation
import Relay

@testable import Vendors

/// Bodies and queries as they are sent, and what they come to.
enum Sample {
    /// A little after the newest event in the fixtures.
    static let received = Timestamp(year: 2026, month: 10, day: 20) ?? .now

    static func request(
        _ body: String = "", type: String? = nil, query: String = "", method: Method = .post,
        headers: [Relay.Field] = []
    ) -> Request {
        request(Array(body.utf8), type: type, query: query, method: method, headers: headers)
    }

    static func request(
        _ body: [UInt8], type: String? = nil, query: String = "", method: Method = .post, headers: [Relay.Field] = []
    ) -> Request {
        Request(
            method: method, path: "/hooks/x", query: query,
            headers: Headers((type.map { [Relay.Field("Content-Type", $0)] } ?? []) + headers), body: body,
            received: received)
    }

    static func fixture(_ name: String) throws -> [UInt8] {
        let url = Bundle.module.bundleURL.appending(path: "Fixtures/\(name)")
        return Array(try Data(contentsOf: url))
    }

    /// A fixture as the request it stands for, by its suffix.
    static func request(fixture name: String) throws -> Request {
        let bytes = try fixture(name)
        if name.hasSuffix(".query") {
            return request([], query: String(decoding: bytes, as: UTF8.self), method: .get)
        }
        return request(bytes, type: name.hasSuffix(".form") ? "application/x-www-form-urlencoded" : "application/json")
    }
}

extension VendorCatalog {
    func hook(_ vendor: String, _ request: Request) throws(Refusal) -> Normalization {
        try normalize(request, through: .hook(Source(name: "test", vendor: vendor, app: "main")))
    }

    func hook(_ vendor: String, _ body: String, type: String? = "application/json") throws(Refusal) -> Normalization {
        try hook(vendor, Sample.request(body, type: type))
    }

    func hook(_ vendor: String, query: String) throws(Refusal) -> Normalization {
        try hook(vendor, Sample.request(query: query, method: .get))
    }
}

extension Normalization {
    /// One line a patch: `customer_user_id u_1 {"appsflyer_id":"..."}`; one line a skip: `no_profile`.
    var summary: [String] {
        patches.map { "\($0.profile.key) \($0.profile.value) \($0.identifiers)" } + skips.map(\.reason.rawValue)
    }
}

extension Normalizer {
    /// Of a caller who may speak of anybody.
    func normalize(_ request: Request, through entrance: Entrance) throws(Refusal) -> Normalization {
        try normalize(request, through: entrance, of: nil)
    }

    func profile(of request: Request) throws(Refusal) -> ProfileReference {
        try profile(of: request, of: nil)
    }
}
