import Relay
import Vendors

extension Fuzzer {
    /// Every vendor, and every way in which a payload can come. Whatever it is, no id comes out that was not in it.
    static let vendors = Fuzzer(
        name: "Vendors",
        words: Identifier.allCases.map { "\"\($0.name)\":" } + [
            "\"adapty_profile_id\":", "\"customer_user_id\":", "\"user_id\":", "5F2C1E0A-7D43-4B8E-9A61-0C3D9E7F4B12",
            "98765432109876543210", "{{macro}}", "\\u0000", "%00", "\u{85}", "\"message\":{\"messageId\":1,\"data\":",
            "2026-10-14T08:21:43.117+01:00", "1791966103", "99999999999999999999", "/users/", "\"properties\":{",
            "\"data\":{", "\"payload\":\"{", "payload=", "\u{FEFF}", "\"adapty_customer_user_id\":", "1.7642376E15",
            "{\\\"adapty_profile_id\\\":\\\"", "\"batch\":[", "\"events\":[", ",}", ":,", "NaN", "\"$group_key\":",
        ],
        seeds: { repository in
            let names = try VendorCatalog().vendorNames
            return try repository.files(in: "Tests/VendorsTests/Fixtures", ".json", ".form", ".query")
                .flatMap { file -> [[UInt8]] in
                    guard let vendor = names.firstIndex(of: String(file.name.prefix { $0 != "-" })) else { return [] }
                    let transport: Transport =
                        file.name.hasSuffix("json") ? .json : file.name.hasSuffix("form") ? .form : .query
                    let seed = [UInt8(vendor), transport.rawValue] + file.bytes
                    return transport == .json
                        ? [seed, [UInt8(vendor), Transport.lines.rawValue] + file.bytes.filter { $0 != 0x0a }] : [seed]
                }
        },
        run: { input in
            let vendor = input.choice(of: catalog.vendorNames)
            let transport = input.choice(of: Transport.allCases)
            let request = transport.request(&input)
            let entrance = Entrance.hook(Source(name: "fuzz", vendor: vendor, app: "main"))
            let result = Result { () throws(Refusal) in try catalog.normalize(request, through: entrance, of: nil) }
            claim(
                result == Result { () throws(Refusal) in try catalog.normalize(request, through: entrance, of: nil) },
                "\(vendor): read twice it is another")
            claim(result == catalog.explain(request, through: entrance).result, "\(vendor): explained it is another")
            switch result {
            case .failure(let refusal):
                claim([400, 413, 415].contains(refusal.status), "\(vendor): refused with \(refusal.status)")
            case .success(let normalization):
                for patch in normalization.patches { check(patch, of: request, from: vendor) }
                for skip in normalization.skips { claim(isClean(skip.detail), "a skip says \(skip.detail)") }
                for key in normalization.keys { claim(isClean(key) && key.utf8.count <= 81, "a key is \(key)") }
                claim(normalization.keys.count <= 32, "there are \(normalization.keys.count) keys")
            }
        })

    private static let catalog: VendorCatalog = {
        do {
            // One that is declared: its places have array steps, and names that JSON pointers must escape.
            let declared = VendorDeclaration(
                name: "declared", identifiers: [.appsflyerID: ["/a/0/b", "/a~1b/~0", "plain"]],
                customerUserID: ["/u", "/list/key"], eventTime: ["/t"], batches: ["/a/b/c", "/list"])
            return try VendorCatalog(extending: [declared])
        } catch { preconditionFailure("\(error)") }
    }()
}

private enum Transport: UInt8, CaseIterable {
    case json, lines, form, query, unsaid, both

    func request(_ input: inout Input) -> Request {
        let query = self == .both ? input.part() : self == .query ? Array(input.rest) : []
        let type =
            switch self {
            case .json: "application/json"
            case .lines: "application/x-ndjson"
            case .form: "application/x-www-form-urlencoded"
            case .query, .unsaid, .both: ""
            }
        return Request(
            method: self == .query ? .get : .post, path: "/hooks/fuzz", query: String(decoding: query, as: UTF8.self),
            headers: Headers(type.isEmpty ? [] : [Field("Content-Type", type)]),
            body: self == .query ? [] : Array(input.rest), received: received)
    }
}

private let received = Timestamp(year: 2026, month: 10, day: 20) ?? .now

private func check(_ patch: Patch, of request: Request, from vendor: String) {
    claim(!patch.identifiers.isEmpty, "\(vendor): a patch without an id")
    let text = Array(request.query.utf8) + [0] + request.body
    for (identifier, value) in patch.identifiers.fields {
        guard case .text(let id) = value else {
            claim(false, "\(vendor): \(identifier.name) is null")
            return
        }
        claim(isClean(id) && (1...CustomerUserID.mostBytes).contains(id.utf8.count), "\(vendor): \(identifier.name)")
        claim(isWritten(id, in: text), "\(vendor): \(identifier.name) comes from nowhere: \(id)")
    }
    switch patch.profile {
    case .customerUserID(let id):
        claim(CustomerUserID(id.text) == id, "\(vendor): a user id is none")
        claim(isWritten(id.text, in: text), "\(vendor): a user comes from nowhere: \(id.text)")
    case .profileID(let id):
        claim(UniqueID(id.description) == id, "\(vendor): a profile id is none")
        claim(isWritten(id.description, in: text.map(\.lowercased)), "\(vendor): a profile comes from nowhere: \(id)")
    }
    if let at = patch.at {
        claim(
            at == .oldest || (at <= received + .seconds(24 * 3600) && at.description >= "2010"),
            "\(vendor): it happened at \(at)")
    }
}

/// Whether an id stands in a text, digit by digit. Where the text has escapes that cannot be told so, and is not asked.
private func isWritten(_ id: String, in text: [UInt8]) -> Bool {
    guard !text.contains(where: { "\\%+".utf8.contains($0) }), !contains(Array("message".utf8), in: text) else {
        return true
    }
    return contains(Array(id.utf8), in: text)
}

private func contains(_ wanted: [UInt8], in text: [UInt8]) -> Bool {
    guard let first = wanted.first, text.count >= wanted.count else { return wanted.isEmpty }
    return (0...text.count - wanted.count).contains { text[$0] == first && text[$0...].starts(with: wanted) }
}
