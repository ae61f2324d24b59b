package import Relay

/// A vendor as the configuration declares it: new, or more names for a built-in one. Places are JSON pointers or names,
/// as text.
package struct VendorDeclaration: Sendable, Equatable {
    package var name: String
    package var identifiers: [Identifier: [String]]
    package var customerUserID: [String]
    package var profileID: [String]
    package var eventTime: [String]
    package var batches: [String]
    /// Values that mean nothing with this vendor, beside the usual ones.
    package var meaningless: [String]
    /// Usual ones that do mean something here: a customer whose user ids begin at 0.
    package var meaningful: [String]

    package init(
        name: String, identifiers: [Identifier: [String]] = [:], customerUserID: [String] = [],
        profileID: [String] = [],
        eventTime: [String] = [], batches: [String] = [], meaningless: [String] = [], meaningful: [String] = []
    ) {
        self.name = name
        self.identifiers = identifiers
        self.customerUserID = customerUserID
        self.profileID = profileID
        self.eventTime = eventTime
        self.batches = batches
        self.meaningless = meaningless
        self.meaningful = meaningful
    }

    /// What is declared comes before what is built in: the customer knows his own names.
    func extend(_ builtIn: Vendor?) throws(Place.Mistake) -> Vendor {
        guard builtIn != nil || !identifiers.isEmpty else {
            throw Place.Mistake("The vendor \(name) is not built in, and no identifiers are declared for it.")
        }
        var vendor = builtIn ?? Vendor(name, identifiers: [:])
        for (identifier, texts) in identifiers {
            // An empty list turns off one of several built-in identifiers: Amplitude's device id, say.
            guard !texts.isEmpty else {
                vendor.identifiers[identifier] = nil
                continue
            }
            let added = try places(texts)
            vendor.identifiers[identifier, default: []].inOrder.insert(contentsOf: added, at: 0)
            // Plain names are what a client would send too.
            vendor.clientNames[identifier, default: []] += texts.filter { !$0.hasPrefix("/") }
        }
        guard !vendor.identifiers.isEmpty else {
            throw Place.Mistake("The vendor \(name) has no identifiers left.")
        }
        vendor.customerUserID.inOrder = try places(customerUserID) + vendor.customerUserID.inOrder
        vendor.profileID.inOrder = try places(profileID) + vendor.profileID.inOrder
        vendor.eventTime = try places(eventTime) + vendor.eventTime
        vendor.batches = try places(batches) + vendor.batches
        vendor.identifiers = vendor.identifiers.mapValues(adjusted)
        vendor.customerUserID = adjusted(vendor.customerUserID)
        return vendor
    }

    private func places(_ texts: [String]) throws(Place.Mistake) -> [Place] {
        var places: [Place] = []
        for text in texts { places.append(try Place(parsing: text)) }
        return places
    }

    private func adjusted(_ places: Places) -> Places {
        var places = places
        places.meaningless = places.meaningless.and(meaningless).except(meaningful)
        return places
    }
}
