import Relay

// Patches as columns that a person can read with sqlite3:
// `{"appsflyer_id":{"value":"...","at":1791966103117,"sequence":7}}`, times in milliseconds since 1970.

extension MergedPatch {
    var storedJSON: [UInt8] {
        var json = JSONText()
        json.object { json in
            for field in fields { json.object(field.identifier.name) { field.write(to: &$0) } }
        }
        return json.bytes
    }

    init(storedJSON: String) throws(StoredJSON.Malformed) {
        self.init()
        for member in try StoredJSON.object(storedJSON) {
            if let stored = try StoredField(member) { merge(stored.field) }
        }
    }
}

extension AppliedPatch {
    /// The same with `confirmed`: when Adapty said so.
    var storedJSON: [UInt8] {
        var json = JSONText()
        json.object { json in
            for applied in fields {
                json.object(applied.field.identifier.name) { json in
                    applied.field.write(to: &json)
                    json.field("confirmed", applied.confirmed.milliseconds)
                }
            }
        }
        return json.bytes
    }

    init(storedJSON: String) throws(StoredJSON.Malformed) {
        self.init()
        for member in try StoredJSON.object(storedJSON) {
            guard let stored = try StoredField(member) else { continue }
            self[stored.field.identifier] = Field(field: stored.field, confirmed: stored.confirmed ?? stored.field.at)
        }
    }
}

extension IntegrationIdentifiers {
    /// From the flat object that `json` writes.
    init(storedJSON: String) throws(StoredJSON.Malformed) {
        self.init()
        for member in try StoredJSON.object(storedJSON) {
            guard let identifier = Identifier(name: member.name) else { continue }
            switch member.value {
            case .null: self[identifier] = .null
            case .text(let text): self[identifier] = .text(text)
            case .integer, .object: throw StoredJSON.Malformed(offset: 0)
            }
        }
    }
}

extension MergedPatch.Field {
    fileprivate func write(to json: inout JSONText) {
        switch value {
        case .null: json.null("value")
        case .text(let text): json.field("value", text)
        }
        json.field("at", at.milliseconds)
        json.field("sequence", sequence)
    }
}

private struct StoredField {
    let field: MergedPatch.Field
    let confirmed: Timestamp?

    /// Nil for an identifier that only a newer Patchbay knows.
    init?(_ member: StoredJSON.Member) throws(StoredJSON.Malformed) {
        guard let identifier = Identifier(name: member.name) else { return nil }
        guard case .object(let parts) = member.value else { throw StoredJSON.Malformed(offset: 0) }
        var value: IntegrationIdentifiers.Value?
        var at: Timestamp?
        var sequence: Int64?
        var confirmed: Timestamp?
        for part in parts {
            switch (part.name, part.value) {
            case ("value", .null): value = .null
            case ("value", .text(let text)): value = .text(text)
            case ("at", .integer(let time)): at = Timestamp(milliseconds: time)
            case ("sequence", .integer(let number)): sequence = number
            case ("confirmed", .integer(let time)): confirmed = Timestamp(milliseconds: time)
            default: throw StoredJSON.Malformed(offset: 0)
            }
        }
        guard let value, let at, let sequence else { throw StoredJSON.Malformed(offset: 0) }
        field = MergedPatch.Field(identifier: identifier, value: value, at: at, sequence: sequence)
        self.confirmed = confirmed
    }
}
