import Relay
import Vendors

extension Fuzzer {
    /// What apps and drop-in callers send: one flat object, and headers that name the profile.
    static let clientPayload = Fuzzer(
        name: "ClientPayload",
        words: Identifier.allCases.map { "\"\($0.name)\":" } + [
            "\"adapty_profile_id\":", "\"adapty_customer_user_id\":", "\"user_id\":", "\"device_id\":", "null",
            "5F2C1E0A-7D43-4B8E-9A61-0C3D9E7F4B12", "\\u0000", "98765432109876543210", "\u{85}",
        ],
        seeds: { _ in
            [
                #"usr_1\#0\#0{"adid":"4c1f0f5e9b6a4d1e8a7730b2d5c9e611","appsflyer_id":null}"#,
                #"\#05F2C1E0A-7D43-4B8E-9A61-0C3D9E7F4B12\#0{"user_id":"usr_1","device_id":12345678901234567890}"#,
                #"\#0\#0{"adapty_customer_user_id":"usr_1","subscription_id":"8f0a2f5c"}"#, #"usr_1\#0\#0{}"#,
            ].flatMap { text in (0..<16).map { [UInt8($0)] + Array(text.utf8) } }
        },
        run: { input in
            let door = Int(input.byte())
            let entrances: [Entrance] = [.dropIn(.v1), .dropIn(.v2)] + catalog.vendorNames.map { .client(vendor: $0) }
            let entrance = entrances[door % entrances.count]
            let user = input.part()
            let profile = input.part()
            var fields: [Field] = []
            // The reader lets no control character into a field.
            if !user.isEmpty { fields.append(Field("adapty-customer-user-id", text(user))) }
            if !profile.isEmpty { fields.append(Field("adapty-profile-id", text(profile))) }
            let request = Request(
                method: .post, path: "/client/fuzz", headers: Headers(fields), body: Array(input.rest))
            let result = Result { () throws(Refusal) in try catalog.normalize(request, through: entrance, of: nil) }
            claim(
                result == Result { () throws(Refusal) in try catalog.normalize(request, through: entrance, of: nil) },
                "read twice it is another")
            switch result {
            case .failure(let refusal):
                claim([400, 413, 415].contains(refusal.status), "refused with \(refusal.status)")
                claim(isClean(refusal.message), "the refusal says \(refusal.message)")
            case .success(let normalization):
                claim(normalization.patches.count == 1 && normalization.skips.isEmpty, "it is not one patch")
                for (identifier, value) in normalization.patches[0].identifiers.fields {
                    guard case .text(let id) = value else { continue }
                    claim(isClean(id) && (1...CustomerUserID.mostBytes).contains(id.utf8.count), identifier.name)
                }
            }
        })

    private static let catalog: VendorCatalog = {
        do { return try VendorCatalog() } catch { preconditionFailure("\(error)") }
    }()

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.filter { !$0.isControl }, as: UTF8.self)
    }
}
