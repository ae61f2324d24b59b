/// A profile reference, identifiers to set, and the time they are true from.
package struct Patch: Sendable, Hashable {
    package var profile: ProfileReference
    package var identifiers: IntegrationIdentifiers
    /// The vendor's event time; nil where it gives none: then it is how things are now, and wins as the later arrival.
    package var at: Timestamp?

    package init(profile: ProfileReference, identifiers: IntegrationIdentifiers, at: Timestamp? = nil) {
        self.profile = profile
        self.identifiers = identifiers
        self.at = at
    }
}
