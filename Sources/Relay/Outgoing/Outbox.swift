/// The durable store between accepting and delivering: a map from profile to merged patch, not a queue of events.
package protocol Outbox: Sendable {
    /// Stores a request's patches together. Returns after the commit, what each patch came to, in order.
    func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition]

    /// What a request's patches come to where all of them say what is durable already, and nobody waits for an answer.
    /// Returns at once; nil where that is not so or cannot be told without waiting: then they are to be appended.
    func recognize(_ submission: Submission) -> [Disposition]?

    /// Takes up to `limit` deliveries of an app that are due at `now`. Each is in flight until it is settled, and no
    /// other delivery of its profile is handed out before that.
    /// - Parameter probe: where they are to find out whether the upstream works: which come first.
    func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim

    /// Says how a delivery ended. Returns at once; durable with a later commit. If the process dies before that, the
    /// delivery is made again: at least once, and harmless because a patch is state. What is due again by it, its
    /// consumer is told of like of what is new.
    func settle(_ delivery: Delivery, as settlement: Settlement)

    /// How much waits, now.
    func census() async -> [Census]

    /// Whether appends are being stored at this moment; what `/readyz` asks.
    var isWritable: Bool { get }
}

/// Which profile a probe is made with. One that no attempt of has failed yet says more of the upstream than one that is
/// refused itself.
package enum ProbeOrder: Sendable, Equatable {
    /// The one that waits longest, among those of which no attempt has failed if there are any.
    case oldest
    /// The one that came last. What came before it may all be of one sender whom the upstream refuses.
    case newest
}

extension Outbox {
    package func claim(_ limit: Int, of app: String, at now: Timestamp) async -> Claim {
        await claim(limit, of: app, at: now, probe: nil)
    }

    package func recognize(_ submission: Submission) -> [Disposition]? { nil }
}

/// What one request asks the outbox to keep.
package struct Submission: Sendable {
    package let id: UniqueID
    package let app: String
    /// The source's or the client key's name.
    package let origin: String
    package let patches: [Patch]
    package let received: Timestamp
    /// The caller waits for the upstream's answer. Where that is "no such profile", its patch is not kept.
    package let isAwaited: Bool
    /// It is delivered even where it says what Adapty already holds: its caller waits for words that only Adapty has,
    /// which is v1's profile. Where Adapty holds something newer, that is delivered again.
    package let isInsistent: Bool

    package init(
        id: UniqueID, app: String, origin: String, patches: [Patch], received: Timestamp, isAwaited: Bool = false,
        isInsistent: Bool = false
    ) {
        self.id = id
        self.app = app
        self.origin = origin
        self.patches = patches
        self.received = received
        self.isAwaited = isAwaited
        self.isInsistent = isInsistent
    }
}

/// What a patch came to.
package struct Disposition: Sendable, Equatable {
    package enum Kind: Sendable {
        /// It changes what is applied or waiting; durable.
        case accepted
        /// It says what already waits; that delivery speaks for it.
        case unchangedWaiting
        /// It says what Adapty already holds, or has refused.
        case unchangedApplied
    }

    package var kind: Kind
    /// Adapty's answer to a value in it that Adapty has refused before; nil where there is none.
    package var refusal: RememberedAnswer?

    package init(_ kind: Kind, refusal: RememberedAnswer? = nil) {
        self.kind = kind
        self.refusal = refusal
    }

    package static let accepted = Disposition(.accepted)
    package static let unchangedWaiting = Disposition(.unchangedWaiting)
    package static let unchangedApplied = Disposition(.unchangedApplied)

    /// A list of this one alone, which is what nearly every request comes to: made once.
    package var alone: [Disposition] {
        guard refusal == nil else { return [self] }
        return switch kind {
        case .accepted: Self.lists.accepted
        case .unchangedWaiting: Self.lists.unchangedWaiting
        case .unchangedApplied: Self.lists.unchangedApplied
        }
    }

    private static let lists = (
        accepted: [accepted], unchangedWaiting: [unchangedWaiting], unchangedApplied: [unchangedApplied]
    )
}

/// What Adapty said of a value when it refused it. A reference: many profiles may have been refused with one answer.
package final class RememberedAnswer: Sendable, Equatable {
    package let answer: UpstreamAnswer

    package init(_ answer: UpstreamAnswer) {
        self.answer = answer
    }

    package static func == (left: RememberedAnswer, right: RememberedAnswer) -> Bool {
        left === right || left.answer == right.answer
    }
}

/// Why nothing was stored. Always our own fault; the caller may try again.
package enum OutboxFailure: Error, Sendable, Equatable {
    /// No room: the disk, or the bound on what may wait.
    case full(String)
    /// The store cannot be written.
    case unavailable(String)
    /// It was closed: the process is stopping.
    case closed
}

extension OutboxFailure: CustomStringConvertible {
    /// For the log and for people: what is so, without the case's name.
    package var description: String {
        switch self {
        case .full(let cause): "no room: \(cause)"
        case .unavailable(let cause): cause
        case .closed: "it is closed: the process is stopping"
        }
    }
}

/// One merged patch on its way.
package struct Delivery: Sendable {
    package let app: String
    package let profile: ProfileReference
    package let patch: MergedPatch
    /// Callers that wait for the answer.
    package let awaiting: [Waiter]
    /// Attempts that were made and failed.
    package let attempts: Int
    /// Since when the profile waits.
    package let since: Timestamp
    /// When the first of the counted attempts failed; nil where none has. Giving up counts from here: an outage before
    /// the first attempt, or a pause, takes nothing from the time in which it is tried.
    package let failingSince: Timestamp?
    /// When it was handed out.
    package let claimed: Timestamp
    /// The source or the client key that brought the newest change.
    package let origin: String
    /// The request that brought it; nil where that is not known any more, after a start.
    package let request: UniqueID?

    package init(
        app: String, profile: ProfileReference, patch: MergedPatch, awaiting: [Waiter] = [], attempts: Int = 0,
        since: Timestamp, failingSince: Timestamp? = nil, claimed: Timestamp? = nil, origin: String = "",
        request: UniqueID? = nil
    ) {
        self.app = app
        self.profile = profile
        self.patch = patch
        self.awaiting = awaiting
        self.attempts = attempts
        self.since = since
        self.failingSince = failingSince
        self.claimed = claimed ?? since
        self.origin = origin
        self.request = request
    }
}

/// What is due, and when to ask again.
package struct Claim: Sendable {
    package let deliveries: [Delivery]
    /// When the next one will be due; nil where nothing waits, or more is due already than was asked for.
    package let nextDue: Timestamp?
    /// More is due than was asked for.
    package let hasMore: Bool

    package init(deliveries: [Delivery], nextDue: Timestamp?, hasMore: Bool) {
        self.deliveries = deliveries
        self.nextDue = nextDue
        self.hasMore = hasMore
    }
}

/// How a delivery ended.
package enum Settlement: Sendable, Equatable {
    /// Adapty holds these values now.
    case applied(at: Timestamp)
    /// Another attempt later.
    /// - `uncertainUntil`: set where nobody knows whether Adapty took this one: until then it may still do so.
    case retry(at: Timestamp, Failure, uncertainUntil: Timestamp? = nil)
    /// There is no such profile. What was brought only by requests whose callers were told is dropped; the rest is
    /// tried again.
    case missing(retryAt: Timestamp, Failure, told: [UniqueID])
    /// Adapty refuses some of it, which is kept as dead letters and remembered; the rest goes on at once. Where Adapty
    /// does not say which, the fields go one by one.
    case rejected(at: Timestamp, FieldRejection)
    /// It will not be tried again by itself: kept as dead letters.
    case dead(at: Timestamp, Failure)
    /// No attempt was made, or one that says nothing of this patch: due again at once, and not counted.
    case released
    /// The same for an attempt that we gave up ourselves, and that Adapty may still take until then.
    case abandoned(uncertainUntil: Timestamp)
}

/// Why an attempt failed, in words fit for a person and a store.
package struct Failure: Error, Sendable, Equatable {
    /// The upstream's HTTP status; nil where there was no answer.
    package let status: Int?
    /// The upstream's `error_code`, or ours for what happened on the way: `timeout`, `connect_failed`.
    package let code: String
    /// The upstream's words, bounded; or the cause.
    package let message: String

    package init(status: Int?, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    /// Adapty's words for a profile that is not there, or not yet.
    package var isOfMissingProfile: Bool { Self.missingProfileCodes.contains(code) }
    package static let missingProfileCodes: Set<String> = ["profile_not_found", "profile_does_not_exist"]
}

extension Failure: CustomStringConvertible {
    package var description: String {
        [status.map { String($0) }, code, message].compactMap { $0 }.joined(separator: " ")
    }
}

/// How much of an app waits.
package struct Census: Sendable, Equatable {
    package let app: String
    /// Profiles with a patch that is not delivered yet, in flight or not.
    package let waiting: Int
    /// Those among them that failed before, without the missing ones.
    package let retrying: Int
    /// Those among them whose profile Adapty does not know yet.
    package let missing: Int
    /// How long the oldest of them waits.
    package let oldestAge: Duration?
    package var deadLetters: Int

    package init(
        app: String, waiting: Int, retrying: Int = 0, missing: Int = 0, oldestAge: Duration? = nil, deadLetters: Int = 0
    ) {
        self.app = app
        self.waiting = waiting
        self.retrying = retrying
        self.missing = missing
        self.oldestAge = oldestAge
        self.deadLetters = deadLetters
    }
}
