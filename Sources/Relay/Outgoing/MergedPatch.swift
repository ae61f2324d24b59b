/// What is known of one profile, field by field: the idea that carries everything.
///
/// Identifiers are state, not events. Of two values of a field the newer vendor time wins; of two with the same time
/// the one that arrived later. So the order in which patches are merged does not matter, and a duplicate changes
/// nothing.
package struct MergedPatch: Sendable, Hashable {
    /// One field's value and how new it is.
    package struct Field: Sendable, Hashable {
        package let identifier: Identifier
        package let value: IntegrationIdentifiers.Value
        /// When it became true.
        package let at: Timestamp
        /// Its place in the order of arrival; the outbox counts from 1.
        package let sequence: Int64

        package init(identifier: Identifier, value: IntegrationIdentifiers.Value, at: Timestamp, sequence: Int64) {
            self.identifier = identifier
            self.value = value
            self.at = at
            self.sequence = sequence
        }

        func isNewer(than other: Field) -> Bool {
            (at, sequence) > (other.at, other.sequence)
        }
    }

    /// In the fields' order, each at most once.
    package private(set) var fields: [Field]

    package init(_ fields: [Field] = []) {
        self.fields = []
        for field in fields { merge(field) }
    }

    package var isEmpty: Bool { fields.isEmpty }

    package subscript(identifier: Identifier) -> Field? {
        fields.first { $0.identifier == identifier }
    }

    package var identifiers: IntegrationIdentifiers {
        var identifiers = IntegrationIdentifiers()
        for field in fields { identifiers[field.identifier] = field.value }
        return identifiers
    }

    /// Takes a field in if it is newer than what is there. Returns whether it did.
    @discardableResult
    package mutating func merge(_ field: Field) -> Bool {
        let place = fields.firstIndex { $0.identifier.rawValue >= field.identifier.rawValue } ?? fields.endIndex
        guard place < fields.endIndex, fields[place].identifier == field.identifier else {
            fields.insert(field, at: place)
            return true
        }
        guard field.isNewer(than: fields[place]) else { return false }
        fields[place] = field
        return true
    }

    package mutating func merge(_ other: MergedPatch) {
        for field in other.fields { merge(field) }
    }

    /// Takes fields out.
    package mutating func remove(where isGone: (Field) -> Bool) {
        fields.removeAll(where: isGone)
    }
}
