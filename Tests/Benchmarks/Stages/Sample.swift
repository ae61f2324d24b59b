import Foundation
import Listener
import Relay
import Vendors

/// What the stages are given: the payloads that the vendors' tests have, and one of them as it is on the wire.
enum Sample {
    static let source = Source(name: "appsflyer", vendor: "appsflyer", app: "main")
    static let token = "0b5f1c3de8a94b6c"
    /// A little after the newest event in the fixtures, so that no vendor's time is ahead of it.
    static let received = Timestamp(year: 2026, month: 10, day: 20) ?? .now

    /// With the one name without which Tenjin's fixture says nothing.
    static func catalog() throws -> VendorCatalog {
        try VendorCatalog(
            extending: [VendorDeclaration(name: "tenjin", identifiers: [.tenjinAnalyticsInstallationID: ["aiid"]])])
    }

    /// The first of a vendor's fixtures that comes to a patch, as a request.
    static func event(of vendor: String, for catalog: VendorCatalog) throws -> Request {
        let names = try FileManager.default.contentsOfDirectory(atPath: fixtures.path)
        for name in names.sorted() where name.hasPrefix(vendor + "-") {
            let request = try request(fixture: name)
            if try !catalog.normalize(request, through: hook(vendor), of: nil).patches.isEmpty { return request }
        }
        throw Surprise(words: "no fixture of \(vendor) comes to a patch")
    }

    static func hook(_ vendor: String) -> Entrance { .hook(Source(name: vendor, vendor: vendor, app: "main")) }

    /// An AppsFlyer event as a load balancer passes it on.
    static func webhook() throws -> [UInt8] {
        let body = try bytes(fixture: "appsflyer-1.json")
        let head = [
            "POST /hooks/\(source.name)?token=\(token) HTTP/1.1", "Host: hooks.example.com",
            "User-Agent: Go-http-client/1.1", "Content-Type: application/json; charset=utf-8", "Accept: */*",
            "Accept-Encoding: gzip", "X-Forwarded-For: 203.0.113.24", "X-Forwarded-Proto: https",
            "Content-Length: \(body.count)", "", "",
        ]
        return Array(head.joined(separator: "\r\n").utf8) + body
    }

    /// The same, read.
    static func received(_ webhook: [UInt8]) throws -> Request {
        var reader = RequestReader(limits: RequestLimits())
        webhook.withUnsafeBytes { reader.append($0) }
        guard case .request(let head, let body, _) = reader.next() else {
            throw Surprise(words: "the webhook is not one request")
        }
        return Request(
            method: head.method, path: head.path, query: head.query, headers: head.headers, body: body,
            peer: PeerAddress("203.0.113.24"), id: UniqueID(high: 1, low: 1), received: received)
    }

    private static let fixtures = URL(filePath: #filePath).appending(path: "../../../VendorsTests/Fixtures")
        .standardized

    private static func bytes(fixture name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: fixtures.appending(path: name)))
    }

    /// By its suffix, as the fixtures' README says.
    private static func request(fixture name: String) throws -> Request {
        let bytes = try bytes(fixture: name)
        guard !name.hasSuffix(".query") else {
            return Request(
                method: .get, path: "/", query: String(decoding: bytes, as: UTF8.self), received: received)
        }
        let type = name.hasSuffix(".form") ? "application/x-www-form-urlencoded" : "application/json"
        return Request(
            method: .post, path: "/", headers: Headers([Field("Content-Type", type)]), body: bytes, received: received)
    }
}
