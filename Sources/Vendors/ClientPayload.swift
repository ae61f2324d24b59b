import Relay

/// Reads what a client app or a drop-in caller sends: one flat object, one profile. Whoever sent it reads the answer,
/// so what is wrong is refused, not skipped; and a null was meant. What means nothing at a webhook means nothing here:
/// it would overwrite a good value.
struct ClientPayload {
    /// The members that are read, and the identifier each sets.
    typealias Names = [String: Identifier]

    let names: Names
    /// What is no id, where it is not the usual.
    var meaningless: [Identifier: Meaningless] = [:]
    /// What is no user id.
    var nobody = Meaningless.usual
    /// Adapty's own route: the body names no profile, and what is wrong with one value is wrong with the whole. Its
    /// callers mean what they say, and have to learn when it says nothing.
    let isDropIn: Bool

    func read(_ request: Request, of subject: Subject?, _ scratch: Scratch) throws(Refusal) -> Normalization {
        let document = try scratch.readClientBody(of: request)
        var reference = try ClientReference(request.headers, nobody: nobody)
        var identifiers = IntegrationIdentifiers()
        var passedOver: [String] = []
        if let document {
            guard document.isObject else { throw .invalid("The body must be a JSON object.") }
            for (name, value) in document.members {
                let name = String(decoding: name, as: UTF8.self)
                if let identifier = names[name] {
                    let read = try value.clientValue(name, meaningless[identifier] ?? .usual)
                    if read == nil, isDropIn { throw .meaningless(name) }
                    if read == nil { passedOver.append(name) }
                    identifiers[identifier] = read
                } else if !isDropIn {
                    try reference.take(name, value)
                }
            }
        } else if !isDropIn {
            throw .malformedBody("There is no payload.")
        }
        let profile = try reference.profile(or: subject)
        guard !identifiers.isEmpty else {
            throw passedOver.isEmpty ? .nothingToSet : .nothingToSet(but: passedOver)
        }
        return Normalization(patches: [Patch(profile: profile, identifiers: identifiers)])
    }
}

extension Refusal {
    fileprivate static func meaningless(_ name: String) -> Refusal {
        .invalid("\(name) holds a value that means nothing: leave it out, or send null.")
    }

    fileprivate static func nothingToSet(but names: [String]) -> Refusal {
        .invalid("\(Refusal.nothingToSet.message) What \(names.joined(separator: ", ")) says means nothing.")
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
    private let nobody: Meaningless
    /// The members of the body that name a profile with a value that means nothing.
    private var passedOver: [String] = []

    /// - Parameter nobody: what is no user id.
    init(_ headers: Headers, nobody: Meaningless = .usual) throws(Refusal) {
        self.nobody = nobody
        customerUserID = try Self.value("adapty-customer-user-id", headers, nobody)
        profileID = try Self.value("adapty-profile-id", headers, .usual)
    }

    private static func value(
        _ name: StaticString, _ headers: Headers, _ meaningless: Meaningless
    ) throws(Refusal) -> String? {
        guard headers.occurrences(of: name) <= 1 else { throw .invalid("\(name) must be sent once.") }
        guard let bytes = headers.value(of: name), !bytes.isEmpty else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalid("\(name) must be UTF-8.") }
        let trimmed = String(text.trimmingBlanks)
        guard !trimmed.isEmpty else { return nil }
        guard !trimmed.withBytes({ meaningless.covers($0) }) else {
            throw .invalid("\(name) holds a value that means nothing.")
        }
        return trimmed
    }

    mutating func take(_ name: String, _ value: JSONValue) throws(Refusal) {
        switch name {
        case CanonicalName.customerUserID: try take(name, value, nobody, into: \.customerUserID)
        case CanonicalName.profileID: try take(name, value, .usual, into: \.profileID)
        default: break
        }
    }

    private mutating func take(
        _ name: String, _ value: JSONValue, _ meaningless: Meaningless,
        into field: WritableKeyPath<ClientReference, String?>
    ) throws(Refusal) {
        guard value.kind != .null else { return }
        guard case .text(let read) = try value.clientValue(name, meaningless) else {
            if !value.text.trimmingBlanks.isEmpty { passedOver.append(name) }
            return
        }
        guard self[keyPath: field] == nil || self[keyPath: field] == read else {
            throw .invalid("The header and the body name different profiles.")
        }
        self[keyPath: field] = read
    }

    /// - Parameter subject: whom the caller speaks for where it names nobody.
    func profile(or subject: Subject?) throws(Refusal) -> ProfileReference {
        switch (customerUserID, profileID) {
        case (nil, nil):
            if let name = passedOver.first { throw .invalid("\(name) holds a value that means nothing.") }
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
    /// A string without the blanks around it, or an integer's digits, or null; nil for what means nothing.
    fileprivate func clientValue(
        _ name: String, _ meaningless: Meaningless
    ) throws(Refusal) -> IntegrationIdentifiers.Value? {
        guard kind != .null else { return .null }
        guard kind == .string || isInteger else { throw .invalid("\(name) must be a string.") }
        let text = text.trimmingBlanks
        if let flaw = text.flaw { throw .invalid("\(name) \(flaw).") }
        return meaningless.covers(text) ? nil : .text(String(decoding: text, as: UTF8.self))
    }
}
