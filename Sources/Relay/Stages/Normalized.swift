/// A request reduced to what Adapty should learn from it.
package struct Normalized: Sendable {
    package let admitted: Admitted
    package let patches: [Patch]
    package let skips: [Skip]

    /// - Parameter limiter: asked once more, for now it is known whom a client's payload is about.
    init(_ admitted: Admitted, by normalizer: any Normalizer, within limiter: any Limiter) throws(Refusal) {
        let normalization = try normalizer.normalize(admitted.received.request, through: admitted.received.entrance)
        for patch in normalization.patches { try limiter.admit(patch.profile, of: admitted.caller) }
        self.admitted = admitted
        self.patches = normalization.patches
        self.skips = normalization.skips
    }
}

/// Reads payloads. Knows every vendor's shapes; does no I/O and keeps nothing.
package protocol Normalizer: Sendable {
    /// The patches in a payload, in its order, and what was left out of it.
    /// Throws 400 `malformed_body` or 415 for what cannot be read, 400 `validation_error` for a client's mistake.
    func normalize(_ request: Request, through entrance: Entrance) throws(Refusal) -> Normalization
    /// Whether there is a vendor of that name; `/client/{vendor}` answers 404 otherwise.
    func knows(vendor: String) -> Bool
    /// How this vendor wants to be answered.
    func dialect(of vendor: String) -> any Dialect
}

/// What a payload comes to.
package struct Normalization: Sendable, Equatable {
    package var patches: [Patch]
    package var skips: [Skip]

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
