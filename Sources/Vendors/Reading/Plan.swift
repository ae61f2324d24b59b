import Relay

/// A vendor's description made ready to run: every place has its number, and the rules ask for numbers.
final class Plan: Sendable {
    let vendor: Vendor
    let tree: PlaceTree
    let identifiers: [(identifier: Identifier, field: Lookup)]
    let profileID: Lookup
    /// Adapty's own name of it, where the vendor's file says that it can stand.
    let canonicalUserID: Lookup
    let customerUserID: Lookup
    /// As in `Vendor.aboutOthers`.
    let aboutOthers: [[UInt8]]
    let eventTime: Lookup
    let batches: [(place: Place, number: Int)]
    let echo: Check?
    let lookalikes: [(places: [Seat], because: String)]
    /// The members that `/client/{vendor}` reads.
    let clientNames: ClientPayload.Names
    /// What is no id there.
    let meaningless: [Identifier: Meaningless]

    /// A place as the reader knows it.
    struct Spot: Sendable {
        let seat: Seat
        let place: Place

        init(_ place: Place, _ number: Int) {
            seat = Seat(number: number, isOfEnvelope: place.isOfEnvelope)
            self.place = place
        }
    }

    /// Where its value is found. Without the place's words: conditions are asked of every id, and to copy those costs
    /// more than to compare.
    struct Seat: Sendable, Equatable {
        let number: Int
        let isOfEnvelope: Bool
    }

    /// A field ready to be looked up. A class: every event asks for a handful of them.
    final class Lookup: Sendable {
        let spots: [Spot]
        let meaningless: Meaningless
        let exceptions: [Exception]
        /// Where what places say of the value stands: where nothing does, those exceptions need no look.
        let exceptionSeats: [Seat]
        /// What it is called in skips and explanations.
        let name: String

        init(spots: [Spot], meaningless: Meaningless, exceptions: [Exception], name: String) {
            self.spots = spots
            self.meaningless = meaningless
            self.exceptions = exceptions
            exceptionSeats = exceptions.compactMap(\.seats).reduce(into: []) { all, seats in
                for seat in seats where !all.contains(seat) { all.append(seat) }
            }
            self.name = name
        }
    }

    struct Exception: Sendable {
        let check: Check
        let because: String
        /// Where one of them has to have a value for the check to hold; nil where it can hold without.
        let seats: [Seat]?

        init(_ check: Check, because: String) {
            self.check = check
            self.because = because
            seats = check.neededSeats
        }
    }

    /// A condition ready to be asked.
    indirect enum Check: Sendable {
        case text(Seat, is: [[UInt8]])
        case prefix(Seat, [[UInt8]])
        case isPresent(Seat)
        case isSame(as: [Seat])
        case hasForm(Condition.Form)
        case not(Check)
        case all([Check])
        case any([Check])

        /// Where one of them has to have a value for it to hold; nil where it can hold without.
        fileprivate var neededSeats: [Seat]? {
            switch self {
            case .text(let seat, is: _), .prefix(let seat, _), .isPresent(let seat): [seat]
            case .isSame(as: let seats): seats
            case .hasForm, .not: nil
            case .all(let checks): checks.lazy.compactMap(\.neededSeats).first
            case .any(let checks):
                checks.reduce(into: [Seat]?([])) { all, check in
                    all = all.flatMap { all in check.neededSeats.map { all + $0 } }
                }
            }
        }
    }

    init(_ vendor: Vendor) {
        let fields = Self.withCanonicalNames(vendor)
        var places = Set(vendor.eventTime + vendor.batches + vendor.lookalikes.flatMap(\.places))
        for field in [fields.profileID, fields.canonicalUserID, fields.customerUserID] + fields.identifiers.map(\.field)
        {
            places.formUnion(field.inOrder)
            for exception in field.exceptions { places.formUnion(exception.condition.places) }
        }
        if let echo = vendor.echo { places.formUnion(echo.places) }
        let tree = PlaceTree(places)

        func spots(_ places: [Place]) -> [Spot] {
            places.compactMap { place in tree.numbers[place].map { Spot(place, $0) } }
        }
        func seat(_ place: Place) -> Seat { Spot(place, tree.numbers[place] ?? 0).seat }
        func check(_ condition: Condition) -> Check {
            switch condition {
            case .text(let place, is: let texts): .text(seat(place), is: texts.map { Array($0.lowercased().utf8) })
            case .prefix(let place, let texts): .prefix(seat(place), texts.map { Array($0.lowercased().utf8) })
            case .isPresent(let place): .isPresent(seat(place))
            case .isSame(as: let places): .isSame(as: spots(places).map(\.seat))
            case .hasForm(let form): .hasForm(form)
            case .not(let condition): .not(check(condition))
            case .all(let conditions): .all(conditions.map(check))
            case .any(let conditions): .any(conditions.map(check))
            }
        }
        func lookup(_ field: Places, _ name: String) -> Lookup {
            Lookup(
                spots: spots(field.inOrder), meaningless: field.meaningless,
                exceptions: field.exceptions.map { Exception(check($0.condition), because: $0.because) }, name: name)
        }

        self.vendor = vendor
        self.tree = tree
        identifiers = fields.identifiers.map { ($0.identifier, lookup($0.field, $0.identifier.name)) }
        profileID = lookup(fields.profileID, "profile id")
        canonicalUserID = lookup(fields.canonicalUserID, "customer user id")
        customerUserID = lookup(fields.customerUserID, "customer user id")
        aboutOthers = vendor.aboutOthers.map { Array($0.utf8) }
        eventTime = lookup(Places(vendor.eventTime), "event time")
        batches = spots(vendor.batches).map { ($0.place, $0.seat.number) }
        echo = vendor.echo.map(check)
        lookalikes = vendor.lookalikes.map { (spots($0.places).map(\.seat), $0.because) }
        clientNames = .simplified(vendor.clientNames)
        meaningless = vendor.identifiers.mapValues(\.meaningless)
    }

    private struct Fields {
        let identifiers: [(identifier: Identifier, field: Places)]
        let profileID: Places
        let canonicalUserID: Places
        let customerUserID: Places
    }

    /// Adapty's own names of a profile come first wherever the customer can put data; the identifiers' own names come
    /// last, because the customer may name parameters so.
    private static func withCanonicalNames(_ vendor: Vendor) -> Fields {
        func canonical(_ name: String) -> [Place] {
            vendor.customerData.map {
                Place(stringLiteral: $0.split(separator: "*", omittingEmptySubsequences: false).joined(separator: name))
            }
        }
        let identifiers = vendor.identifiers.sorted { $0.key.rawValue < $1.key.rawValue }.map { identifier, field in
            var field = field
            let own = Place(stringLiteral: identifier.name)
            if !field.inOrder.contains(own) { field.inOrder.append(own) }
            return (identifier: identifier, field: field)
        }
        var profileID = vendor.profileID
        let places = canonical(CanonicalName.profileID)
        profileID.inOrder = places.filter { !profileID.inOrder.contains($0) } + profileID.inOrder
        return Fields(
            identifiers: identifiers, profileID: profileID,
            // What means nothing there is the vendor's list; its exceptions are about its own ids.
            canonicalUserID: Places(
                canonical(CanonicalName.customerUserID), meaningless: vendor.customerUserID.meaningless),
            customerUserID: vendor.customerUserID)
    }
}

extension Condition {
    /// Every place it looks at.
    fileprivate var places: [Place] {
        switch self {
        case .text(let place, is: _), .prefix(let place, _), .isPresent(let place): [place]
        case .isSame(as: let places): places
        case .hasForm: []
        case .not(let condition): condition.places
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.places)
        }
    }
}
