/// A request reduced to what Adapty should learn from it.
package struct Normalized: Sendable {
    package let admitted: Admitted
    package let app: App
    package let patches: [Patch]
    package let skips: [Skip]
    /// As in `Normalization`.
    package let unreadableTimes: Int
    /// As in `Normalization`.
    package let keys: [String]

    /// - Throws: what the payload, the profile's limit or the app has against it.
    init(
        _ admitted: consuming Admitted, by normalizer: any Normalizer, within limiter: any Limiter,
        apps: [String: App]
    ) throws(Refusal) {
        let caller = admitted.caller
        do throws(Refusal) {
            var normalization = try normalizer.normalize(
                admitted.received.request, through: admitted.received.entrance, of: caller.subject)
            for patch in normalization.patches { try caller.mayName(patch.profile) }
            for patch in normalization.patches { try limiter.admit(patch.profile, of: caller) }
            app = try App(of: caller, in: apps)
            normalization.limit(to: app.version)
            if let message = admitted.received.proof.message { normalization.date(message.time) }
            if case .client = caller, normalization.patches.isEmpty { throw .nothingToSet }
            self.admitted = admitted
            self.patches = normalization.patches
            self.skips = normalization.skips
            unreadableTimes = normalization.unreadableTimes
            keys = normalization.keys
        } catch {
            throw error.of(caller)
        }
    }
}

extension Normalization {
    /// Gives what has no time of its own the one at which it was signed: repeated later, it is as old as it was.
    mutating func date(_ time: Timestamp) {
        for index in patches.indices where patches[index].at == nil { patches[index].at = time }
    }

    /// Leaves out the identifiers that an app's API does not know; they would go nowhere. Of a patch of nothing else a
    /// skip remains.
    mutating func limit(to version: APIVersion) {
        // Nothing is copied where everything is known, which is nearly always.
        guard !patches.allSatisfy({ $0.identifiers.isKnown(to: version) }) else { return }
        let all = patches
        patches = []
        for var patch in all {
            let unknown = patch.identifiers.fields.map(\.identifier).filter { !$0.isKnown(to: version) }
            patch.identifiers = patch.identifiers.limited(to: version)
            if patch.identifiers.isEmpty {
                let names = unknown.map(\.name).joined(separator: ", ")
                skips.append(Skip(.notApplicable, "\(names): not in \(version.rawValue) of the API"))
            } else {
                patches.append(patch)
            }
        }
    }
}

/// Reads payloads. Knows every vendor's shapes; does no I/O and keeps nothing.
package protocol Normalizer: Sendable {
    /// The patches in a payload, in its order, and what was left out of it.
    /// Throws 400 `malformed_body` or 415 for what cannot be read, 400 `validation_error` for a client's mistake.
    /// - Parameter subject: whom a client's request is about that names nobody.
    func normalize(
        _ request: Request, through entrance: Entrance, of subject: Subject?
    ) throws(Refusal) -> Normalization
    /// Whom a client's request without a payload is about. Throws 400 `validation_error` where that cannot be told.
    func profile(of request: Request, of subject: Subject?) throws(Refusal) -> ProfileReference
    /// Whether there is a vendor of that name; `/client/{vendor}` answers 404 otherwise.
    func knows(vendor: String) -> Bool
    /// Every vendor that there is, in alphabetical order.
    var vendorNames: [String] { get }
    /// How this vendor wants to be answered.
    func dialect(of vendor: String) -> any Dialect
}

/// What a payload comes to.
package struct Normalization: Sendable, Equatable {
    package var patches: [Patch]
    package var skips: [Skip]
    /// How many of the patches happened at a time that is there and cannot be read: they count as oldest.
    package var unreadableTimes = 0
    /// The names of the members of the first event that was skipped for want of an id or a profile, a few of them and
    /// short: what tells a wrong name at the sender. Never a value; nothing where no event was skipped so.
    package var keys: [String] = []

    package init(patches: [Patch] = [], skips: [Skip] = []) {
        self.patches = patches
        self.skips = skips
    }
}

/// An event, or one member of a batch, that was understood and comes to nothing.
package struct Skip: Sendable, Equatable {
    /// Why; counted under this name.
    package enum Reason: String, Sendable, CaseIterable {
        /// No id that Adapty could use is in it.
        case noIdentifier = "no_identifier"
        /// It names nobody: neither a customer user id nor a profile id.
        case noProfile = "no_profile"
        /// The profile id is not a UUID, or the user id cannot stand in a header.
        case badProfile = "bad_profile"
        /// The id is there, and is not the one Adapty wants: an e-mail subscription, a web client.
        case notApplicable = "not_applicable"
        /// Adapty itself sent this event to the vendor; it comes back unchanged.
        case echo
        /// A member of a batch that is not an object.
        case notAnObject = "not_an_object"
        /// The batch was empty.
        case empty
        /// Two different profiles are named, and neither stands above the other.
        case ambiguousProfile = "ambiguous_profile"
        /// A line of several, what an envelope holds, or all of a request, that is in no form that is read here.
        case unreadable
        /// The body, the target, the header, or the number of events is beyond its limit.
        case tooLarge = "too_large"
        /// Nothing is read of a request with this method.
        case wrongMethod = "wrong_method"
    }

    package let reason: Reason
    /// Where, in words: a field's name, a member's place. Never a value.
    package let detail: String

    package init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }
}

/// How a vendor wants to be answered where our own words would not do.
package protocol Dialect: Sendable {
    func answer(_ receipt: Receipt, to request: Request) -> Response
    func answer(_ refusal: Refusal, to request: Request) -> Response
}

/// Our own words.
package struct PlainDialect: Dialect {
    package init() {}

    package func answer(_ receipt: Receipt, to request: Request) -> Response {
        .json(200, receipt.json)
    }

    package func answer(_ refusal: Refusal, to request: Request) -> Response {
        Response(refusal)
    }
}
