import Relay

/// One patch of a submission, with its place in the order of arrival.
struct Arrival {
    let app: String
    let profile: ProfileReference
    let identifiers: IntegrationIdentifiers
    /// The vendor's time as far as it is believed.
    let at: Timestamp
    let received: Timestamp
    let sequence: Int64
    let origin: String
    /// The request, if its caller waits for what becomes of it.
    let request: UniqueID?
    /// It is delivered whatever is applied.
    var isInsistent = false
}

extension Arrival {
    /// - Parameter mostAhead: a vendor's time further ahead than this is a wrong clock; the arrival counts instead.
    init(_ patch: Patch, of submission: Submission, sequence: Int64, mostAhead: Duration) {
        let claimed = patch.at ?? submission.received
        self.init(
            app: submission.app, profile: patch.profile, identifiers: patch.identifiers,
            at: claimed - submission.received > mostAhead ? submission.received : claimed,
            received: submission.received, sequence: sequence, origin: submission.origin,
            request: submission.isAwaited ? submission.id : nil, isInsistent: submission.isInsistent)
    }

    func field(_ identifier: Identifier, _ value: IntegrationIdentifiers.Value) -> MergedPatch.Field {
        MergedPatch.Field(identifier: identifier, value: value, at: at, sequence: sequence)
    }
}
