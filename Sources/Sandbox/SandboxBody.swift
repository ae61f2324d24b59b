import Foundation
import Relay

/// Reads and writes bodies as Adapty does. By Foundation's decoder, not by the relay's: a stand-in that shared the
/// relay's reading would share its mistakes.
enum SandboxBody {
    enum Reading {
        case identifiers(IntegrationIdentifiers)
        /// Fields that are neither null nor a string.
        case invalid([String])
        case malformed
    }

    static func read(_ body: [UInt8], _ version: APIVersion) -> Reading {
        // As web frameworks have it: no body is a body without fields, and not JSON that is malformed.
        guard !body.isEmpty else { return .identifiers(IntegrationIdentifiers()) }
        guard let fields = try? JSONDecoder().decode([String: Value].self, from: Data(body)) else { return .malformed }
        var identifiers = IntegrationIdentifiers()
        var invalid: [String] = []
        for (name, value) in fields {
            guard let identifier = Identifier(name: name), identifier.isKnown(to: version) else { continue }
            switch value {
            case .null: identifiers[identifier] = .null
            case .text(let text): identifiers[identifier] = .text(text)
            case .other: invalid.append(name)
            }
        }
        return invalid.isEmpty ? .identifiers(identifiers) : .invalid(invalid.sorted())
    }

    private enum Value: Decodable {
        case null
        case text(String)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else {
                self = .other
            }
        }
    }

    /// v1's answer: the profile, here one without a history.
    static func profileResponse(_ profile: ProfileReference, at time: Timestamp) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.object("data") { json in
                json.field("app_id", "00000000-0000-7000-8000-000000000000")
                switch profile {
                case .profileID(let id):
                    json.field("profile_id", id)
                    json.null("customer_user_id")
                case .customerUserID(let id):
                    json.field("profile_id", "00000000-0000-7000-8000-000000000001")
                    json.field("customer_user_id", id.text)
                }
                json.field("total_revenue_usd", 0)
                json.null("segment_hash")
                json.field("timestamp", time.milliseconds)
                for list in ["custom_attributes", "access_levels", "subscriptions", "non_subscriptions"] {
                    json.array(list) { _ in }
                }
            }
        }
        return json.bytes
    }
}

extension IntegrationIdentifiers {
    /// A flat object of all 16 fields, null where unset.
    var jsonWithAllKeys: [UInt8] {
        var json = JSONText(reserving: 768)
        json.object { json in
            for identifier in Identifier.allCases {
                if case .text(let text) = self[identifier] {
                    json.field(identifier.name, text)
                } else {
                    json.null(identifier.name)
                }
            }
        }
        return json.bytes
    }
}
