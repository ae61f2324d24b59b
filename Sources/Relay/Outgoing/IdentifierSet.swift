/// Some of the identifiers.
package struct IdentifierSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package init(_ identifier: Identifier) {
        rawValue = 1 << UInt32(identifier.rawValue)
    }

    package init(_ identifiers: some Sequence<Identifier>) {
        self = identifiers.reduce(into: []) { $0.formUnion(IdentifierSet($1)) }
    }

    package init(_ patch: MergedPatch) {
        self.init(patch.fields.lazy.map(\.identifier))
    }

    package init(_ identifiers: IntegrationIdentifiers) {
        self.init(identifiers.fields.lazy.map(\.identifier))
    }

    package func contains(_ identifier: Identifier) -> Bool { contains(IdentifierSet(identifier)) }
}
