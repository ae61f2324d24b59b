import Relay

/// One patch of a submission, with its place in the order of arrival.
struct Arrival {
    let app: String
    let profile: ProfileReference
    let identifiers: IntegrationIdentifiers
    /// The vendor's time as far as it is believed; the time of arrival where it gave none.
    let at: Timestamp
    /// The vendor gave a time.
    let isTimed: Bool
    let received: Timestamp
    let sequence: Int64
    let origin: String
    /// The request that brought it; nil where the log has none that can be read.
    let request: UniqueID?
    /// Its caller waits for what becomes of it.
    var isAwaited: Bool
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
            isTimed: patch.at != nil, received: submission.received, sequence: sequence, origin: submission.origin,
            request: submission.id, isAwaited: submission.isAwaited, isInsistent: submission.isInsistent)
    }

    /// Who gives no time says how things are now. That is not late because what is known has a time ahead of ours: a
    /// vendor's clock may be, and ours may have been set back. It takes that time over, and wins as the later arrival.
    func field(
        _ identifier: Identifier, _ value: IntegrationIdentifiers.Value, after known: MergedPatch.Field?
    ) -> MergedPatch.Field {
        let at = isTimed ? at : max(at, known?.at ?? at)
        return MergedPatch.Field(identifier: identifier, value: value, at: at, sequence: sequence)
    }
}
