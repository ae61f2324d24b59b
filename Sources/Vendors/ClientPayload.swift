import Relay

/// Reads what a client app or a drop-in caller sends: one flat object, one profile. Whoever sent it reads the answer,
/// so what is wrong is refused, not skipped; and a null was meant.
struct ClientPayload {
    /// The members that are read, and the identifier each sets.
    typealias Names = [String: Identifier]

    let names: Names
    /// Whether the body may name the profile, beside the headers.
    let canNameProfile: Bool

    func read(_ request: Request, of subject: Subject?, _ scratch: Scratch) throws(Refusal) -> Normalization {
        guard try BodyFormat.of(request) == .json || request.body.allSatisfy(\.isBlank) else {
            throw .unsupportedMediaType
        }
        var reference = try ClientReference(request.headers)
        var identifiers = IntegrationIdentifiers()
        var isThere = false
        try scratch.readBody(of: request) { document, _ throws(Refusal) in
            isThere = true
            guard document.isObject else { throw .invalid("The body must be a JSON object.") }
            for (name, value) in document.members {
                let name = String(decoding: name, as: UTF8.self)
                if let identifier = names[name] {
                    identifiers[identifier] = try Self.value(of: value, name)
                } else if canNameProfile {
                    try reference.take(name, value)
                }
            }
        }
        guard isThere || !canNameProfile else { throw .malformedBody("There is no payload.") }
        let profile = try reference.profile(or: subject)
        guard !identifiers.isEmpty else { throw .nothingToSet }
        return Normalization(patches: [Patch(profile: profile, identifiers: identifiers)])
    }

    /// Nil for the empty string: an app that has no value yet.
    private static func value(
        of value: JSONValue, _ name: String
    ) throws(Refusal) -> IntegrationIdentifiers.Value? {
        if value.kind == .null { return .null }
        return try value.clientText(name).map { .text($0) }
    }
}

extension ClientPayload.Names {
    /// The fields of Adapty's own API.
    static func adapty(_ version: APIVersion) -> Self {
        Dictionary(
            uniqueKeysWithValues: Identifier.allCases.filter { $0.isKnown(to: version) }.map { ($0.name, $0) })
    }

    /// Adapty's 16, and a vendor's short ones.
    static func simplified(_ short: [Identifier: [String]]) -> Self {
        var names = adapty(.v2)
        for (identifier, aliases) in short {
            for alias in aliases where names[alias] == nil { names[alias] = identifier }
        }
        return names
    }
}

/// Whom a client speaks of. The headers have Adapty's names; a body has the same with `_`. Named twice it must be the
/// same.
struct ClientReference {
    private var customerUserID: String?
    private var profileID: String?

    init(_ headers: Headers) throws(Refusal) {
        customerUserID = try Self.value("adapty-customer-user-id", headers)
        profileID = try Self.value("adapty-profile-id", headers)
    }

    private static func value(_ name: StaticString, _ headers: Headers) throws(Refusal) -> String? {
        guard headers.occurrences(of: name) <= 1 else { throw .invalid("\(name) must be sent once.") }
        guard let bytes = headers.value(of: name), !bytes.isEmpty else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalid("\(name) must be UTF-8.") }
        let trimmed = text.trimmingBlanks
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    mutating func take(_ name: String, _ value: JSONValue) throws(Refusal) {
        switch name {
        case CanonicalName.customerUserID: try Self.take(name, value, into: &customerUserID)
        case CanonicalName.profileID: try Self.take(name, value, into: &profileID)
        default: break
        }
    }

    private static func take(_ name: String, _ value: JSONValue, into text: inout String?) throws(Refusal) {
        guard value.kind != .null, let read = try value.clientText(name) else { return }
        guard text == nil || text == read else { throw .invalid("The header and the body name different profiles.") }
        text = read
    }

    /// - Parameter subject: whom the caller speaks for where it names nobody.
    func profile(or subject: Subject?) throws(Refusal) -> ProfileReference {
        switch (customerUserID, profileID) {
        case (nil, nil):
            guard let subject else { throw .noProfile }
            return subject.reference
        case (_?, _?):
            throw .invalid("Send either adapty-customer-user-id or adapty-profile-id, not both.")
        case (let text?, nil):
            guard let profile = ProfileReference.customerUserID(text) else {
                throw .invalid(
                    "adapty-customer-user-id must be 1 to \(CustomerUserID.mostBytes) bytes, none of them a control."
                )
            }
            return profile
        case (nil, let text?):
            guard let profile = ProfileReference.profileID(text) else {
                throw .invalid("adapty-profile-id must be a UUID.")
            }
            return profile
        }
    }
}

extension JSONValue {
    /// A string without the blanks around it, or an integer's digits; nil for the empty string.
    fileprivate func clientText(_ name: String) throws(Refusal) -> String? {
        guard kind == .string || isInteger else { throw .invalid("\(name) must be a string.") }
        let text = text.trimmingBlanks
        if let flaw = text.flaw { throw .invalid("\(name) \(flaw).") }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }
}
