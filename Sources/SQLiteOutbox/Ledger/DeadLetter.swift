import Relay

/// A delivery that will not be tried again by itself.
struct DeadLetter {
    let app: String
    let profile: ProfileReference
    let origin: String
    let patch: MergedPatch
    let attempts: Int
    let since: Timestamp
    let died: Timestamp
    let failure: Failure

    init(_ delivery: Delivery, origin: String, failure: Failure, at died: Timestamp) {
        app = delivery.app
        profile = delivery.profile
        self.origin = origin
        patch = delivery.patch
        // The one that ended it counts.
        attempts = delivery.attempts + 1
        since = delivery.since
        self.died = died
        self.failure = failure
    }
}
