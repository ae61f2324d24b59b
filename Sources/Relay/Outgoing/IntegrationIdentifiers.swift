/// The ids under which vendors know a user, as Adapty's API names them. Source: "Set integration identifiers", v2, 16
/// fields.
package enum Identifier: UInt8, Sendable, CaseIterable, Hashable {
    case adjustDeviceID
    case airbridgeDeviceID
    case amplitudeDeviceID
    case amplitudeUserID
    case appmetricaDeviceID
    case appmetricaProfileID
    case appsflyerID
    case branchID
    case facebookAnonymousID
    case firebaseAppInstanceID
    case mixpanelUserID
    case oneSignalPlayerID
    case oneSignalSubscriptionID
    case posthogDistinctUserID
    case pushwooshHWID
    case tenjinAnalyticsInstallationID

    /// The field's name in the API.
    package var name: String {
        switch self {
        case .adjustDeviceID: "adjust_device_id"
        case .airbridgeDeviceID: "airbridge_device_id"
        case .amplitudeDeviceID: "amplitude_device_id"
        case .amplitudeUserID: "amplitude_user_id"
        case .appmetricaDeviceID: "appmetrica_device_id"
        case .appmetricaProfileID: "appmetrica_profile_id"
        case .appsflyerID: "appsflyer_id"
        case .branchID: "branch_id"
        case .facebookAnonymousID: "facebook_anonymous_id"
        case .firebaseAppInstanceID: "firebase_app_instance_id"
        case .mixpanelUserID: "mixpanel_user_id"
        case .oneSignalPlayerID: "one_signal_player_id"
        case .oneSignalSubscriptionID: "one_signal_subscription_id"
        case .posthogDistinctUserID: "posthog_distinct_user_id"
        case .pushwooshHWID: "pushwoosh_hwid"
        case .tenjinAnalyticsInstallationID: "tenjin_analytics_installation_id"
        }
    }

    package init?(name: String) {
        guard let found = Self.byName[name] else { return nil }
        self = found
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })

    /// Whether v1 of the API knows the field. Source: "Add integration identifiers", v1, 13 fields.
    package func isKnown(to version: APIVersion) -> Bool {
        switch (version, self) {
        case (.v2, _): true
        case (.v1, .oneSignalPlayerID), (.v1, .posthogDistinctUserID), (.v1, .tenjinAnalyticsInstallationID): false
        case (.v1, _): true
        }
    }
}

/// Identifiers to set on a profile. Each of the 16 is absent, null or a string; kept in the fields' order.
package struct IntegrationIdentifiers: Sendable, Hashable {
    /// What a field is set to. Null comes only from callers that sent null and meant it.
    package enum Value: Sendable, Hashable {
        case null
        case text(String)

        package static func == (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.null, .null): true
            case (.text(let left), .text(let right)): left.isSameBytes(as: right)
            case (.null, .text), (.text, .null): false
            }
        }
    }

    package private(set) var fields: [(identifier: Identifier, value: Value)]

    package init() {
        fields = []
    }

    package init(_ values: [Identifier: String]) {
        self.init()
        for (identifier, text) in values { self[identifier] = .text(text) }
    }

    package var isEmpty: Bool { fields.isEmpty }

    package var count: Int { fields.count }

    package subscript(identifier: Identifier) -> Value? {
        get { fields.first { $0.identifier == identifier }?.value }
        set {
            let place = fields.firstIndex { $0.identifier.rawValue >= identifier.rawValue } ?? fields.endIndex
            let isThere = place < fields.endIndex && fields[place].identifier == identifier
            switch (newValue, isThere) {
            case (let value?, true): fields[place].value = value
            case (let value?, false): fields.insert((identifier, value), at: place)
            case (nil, true): fields.remove(at: place)
            case (nil, false): break
            }
        }
    }

    /// Whether this version of the API knows every field.
    package func isKnown(to version: APIVersion) -> Bool {
        version == .v2 || fields.allSatisfy { $0.identifier.isKnown(to: version) }
    }

    /// Only the fields that this version of the API knows.
    package func limited(to version: APIVersion) -> IntegrationIdentifiers {
        var limited = self
        limited.fields.removeAll { !$0.identifier.isKnown(to: version) }
        return limited
    }

    /// The request body: a flat object of the fields that are there.
    package var json: [UInt8] {
        var json = JSONText()
        json.object { write(to: &$0) }
        return json.bytes
    }

    package func write(to json: inout JSONText) {
        for (identifier, value) in fields {
            switch value {
            case .null: json.null(identifier.name)
            case .text(let text): json.field(identifier.name, text)
            }
        }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.fields.elementsEqual(right.fields) { $0.identifier == $1.identifier && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for (identifier, value) in fields {
            hasher.combine(identifier)
            hasher.combine(value)
        }
    }
}

extension IntegrationIdentifiers: CustomStringConvertible {
    package var description: String { String(decoding: json, as: UTF8.self) }
}
