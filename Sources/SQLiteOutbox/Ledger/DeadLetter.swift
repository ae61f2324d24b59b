import Relay

/// A value that will not be tried again by itself. There is one for each profile and field: another takes its place,
/// the same raises its count.
struct DeadLetter {
    let app: String
    let profile: ProfileReference
    let origin: String
    let field: MergedPatch.Field
    let attempts: Int
    let since: Timestamp
    let died: Timestamp
    let failure: Failure
    /// What Adapty said, where it refused the value; nil where the attempts were given up.
    let answer: UpstreamAnswer?

    init(
        _ field: MergedPatch.Field, _ delivery: Delivery, origin: String, _ failure: Failure, at died: Timestamp,
        answer: UpstreamAnswer? = nil
    ) {
        app = delivery.app
        profile = delivery.profile
        self.origin = origin
        self.field = field
        // The one that ended it counts.
        attempts = delivery.attempts + 1
        since = delivery.since
        self.died = died
        self.failure = failure
        self.answer = answer
    }
}
