import Relay

/// What is known of few profiles at a time: who waits for them, what Adapty refused, which attempts may yet be taken.
/// Behind one reference, so that a million that wait do not pay for it. Never changed, only replaced: an undo need not
/// copy it.
struct Rare {
    /// Callers that the next delivery answers.
    var waiters: [Waiter] = []
    /// They asked while a delivery was on its way, which does not know of them.
    var lateWaiters: [Waiter] = []
    /// The fields that nobody but waiting callers brought.
    var exclusive: IdentifierSet = []
    /// Adapty refused a patch of these and did not say which: they go one by one.
    var isolated: IdentifierSet = []
    /// Values that Adapty refused, one for each field; as long as their dead letters are kept.
    var rejected: [RejectedField] = []
    /// Attempts whose end nobody knows.
    var uncertain: [UncertainField] = []
    /// The same of an earlier process: which values it had sent is not known. Set where Adapty may take any until then.
    var anyUncertainUntil: Timestamp?

    /// When the last of these attempts cannot be taken any more.
    var uncertainUntil: Timestamp? { (uncertain.map(\.until) + [anyUncertainUntil].compactMap { $0 }).max() }

    var isEmpty: Bool {
        waiters.isEmpty && lateWaiters.isEmpty && exclusive.isEmpty && isolated.isEmpty && rejected.isEmpty
            && uncertain.isEmpty && anyUncertainUntil == nil
    }

    func rejected(_ identifier: Identifier) -> RejectedField? {
        rejected.first { $0.field.identifier == identifier }
    }

    mutating func setRejected(_ rejected: RejectedField) {
        forgetRejected(rejected.field.identifier)
        self.rejected.append(rejected)
    }

    mutating func forgetRejected(_ identifier: Identifier) {
        rejected.removeAll { $0.field.identifier == identifier }
    }
}

/// A value that Adapty refused.
struct RejectedField {
    var field: MergedPatch.Field
    /// What Adapty said; one instance for all that were refused alike.
    var answer: RememberedAnswer
    /// How often it was said, and when first and last.
    var count: Int
    let first: Timestamp
    var last: Timestamp
}

/// A value that was sent, and which Adapty may take until a time though it has not answered.
struct UncertainField {
    let field: MergedPatch.Field
    let until: Timestamp

    /// More of one profile are never in the air at once: an attempt takes seconds, and this is kept for a minute.
    static let maxPerProfile = 32
}
