/// The outbox as whoever runs it sees it: what is undelivered, why, and what can be done about it. `Outbox` is what
/// requests and deliveries see.
///
/// Nothing here holds up a commit: what is asked of the store's thread comes in small parts, what is only in the file
/// is read beside it.
package protocol OutboxDesk: Sendable {
    /// Everything undelivered that the filter lets through, dead letters included: counted, and the oldest of it.
    func survey(_ filter: DeskFilter, limit: Int) async throws(DeskError) -> DeskSurvey

    /// All that is known of a profile, in each app that knows it.
    /// - Parameter pausedApps: those whose settings are wrong: what waits there is paused.
    func show(_ wanted: DeskProfileName, pausedApps: Set<String>) async throws(DeskError) -> [DeskProfile]

    /// Changes some of what the filter lets through, and says where to go on; `from` is `DeskPlace()` at first. What
    /// becomes a dead letter after the first step is left alone.
    func change(_ change: DeskChange, _ filter: DeskFilter, from: DeskPlace) async throws(DeskError) -> DeskStep

    /// Writes a copy of the file as it is now, for the owner alone, and reads it once to see that it is whole.
    /// - Parameter path: where there is nothing yet.
    /// - Returns: the copy's size in bytes.
    func backup(to path: String) async throws(DeskError) -> Int

    /// The size of the file and its write-ahead log.
    var fileBytes: Int { get }

    /// Why nothing can be stored at this moment; nil while everything is.
    var trouble: OutboxFailure? { get }
}

extension OutboxDesk {
    package var trouble: OutboxFailure? { nil }
}

package enum DeskError: Error, Sendable, Equatable {
    case outbox(OutboxFailure)
    /// What was asked for cannot be done; a sentence for the person.
    case refused(String)

    /// A change is to go on where none was left.
    package static let noPlace = DeskError.refused("from is no place that was given")
}

extension DeskError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .outbox(let failure): "the outbox: \(failure)"
        case .refused(let sentence): sentence
        }
    }
}

/// Where a patch stands that Adapty does not hold yet.
package enum DeskState: String, Sendable, CaseIterable {
    /// No attempt has failed.
    case waiting
    /// An attempt failed; another follows.
    case retrying
    /// Adapty does not know the profile yet; another attempt follows.
    case missing
    case inFlight = "in_flight"
    /// Its app is paused: the app's settings are wrong.
    case paused
    /// A dead letter.
    case dead
}

/// What can be done with it.
package enum DeskChange: String, Sendable {
    /// Dead letters wait again; what is to be tried later is due now.
    case replay
    /// It is forgotten. Whoever brought it was promised its delivery.
    case discard

    /// The states that it changes. What is in flight ends by itself.
    package var states: Set<DeskState> {
        switch self {
        case .replay: [.retrying, .missing, .dead]
        case .discard: [.waiting, .retrying, .missing, .paused, .dead]
        }
    }
}

/// A profile as a person names it: its id, or what stands in the log for it.
package struct DeskProfileName: Sendable {
    package let text: String
    private let label: ProfileLabel

    package init(_ text: String, label: @escaping ProfileLabel) {
        self.text = text
        self.label = label
    }

    /// The profiles that have this very id.
    package var references: [ProfileReference] {
        [ProfileReference.profileID(text), .customerUserID(text)].compactMap { $0 }
    }

    package func matches(_ profile: ProfileReference) -> Bool {
        profile.value == text || label(profile) == text
    }
}

/// Which of it; everything unless something is set.
package struct DeskFilter: Sendable {
    package var states = Set(DeskState.allCases)
    package var app: String?
    /// The source or the client key that brought the newest change.
    package var origin: String?
    /// The last failure's code.
    package var error: String?
    /// How long it waits, or has been dead.
    package var olderThan: Duration?
    package var newerThan: Duration?
    package var profile: DeskProfileName?
    /// Apps whose deliveries are paused at this moment.
    package var pausedApps: Set<String> = []

    package init() {}

    /// Something does not get through.
    package var isSelective: Bool {
        states.count < DeskState.allCases.count || app != nil || origin != nil || error != nil || olderThan != nil
            || newerThan != nil || profile != nil
    }

    package func accepts(
        _ state: DeskState, app: String, origin: String, error: String?, age: Duration, profile: ProfileReference
    ) -> Bool {
        states.contains(state) && (self.app ?? app) == app && (self.origin ?? origin) == origin
            && (self.error == nil || self.error == error) && age >= (olderThan ?? age) && age <= (newerThan ?? age)
            && self.profile?.matches(profile) ?? true
    }
}

/// How much there is of what, and the oldest.
package struct DeskSurvey: Sendable {
    package struct Key: Sendable, Hashable {
        package let app: String
        package let state: DeskState
        /// The last failure's code; empty where nothing failed.
        package let error: String

        package init(app: String, state: DeskState, error: String) {
            self.app = app
            self.state = state
            self.error = error
        }
    }

    package var counts: [Key: Int] = [:]
    /// The oldest first.
    package var items: [DeskItem] = []

    package init() {}

    package var total: Int { counts.values.reduce(0, +) }

    package func count(of states: Set<DeskState>) -> Int {
        counts.reduce(0) { $0 + (states.contains($1.key.state) ? $1.value : 0) }
    }
}

/// One profile's undelivered patch, or one dead letter.
package struct DeskItem: Sendable {
    package let state: DeskState
    package let app: String
    package let profile: ProfileReference
    package let origin: String
    package let identifiers: [Identifier]
    /// How long it waits, or has been dead.
    package let age: Duration
    package let attempts: Int
    /// Until the next attempt is due; nil where that is not a matter of time.
    package let next: Duration?
    package let failure: Failure?
    /// How often a dead letter's value was said; 1 for what waits.
    package let count: Int
    /// How long ago a dead letter's value first died; its `age` is since it was said last.
    package let firstAge: Duration?

    package init(
        state: DeskState, app: String, profile: ProfileReference, origin: String, identifiers: [Identifier],
        age: Duration, attempts: Int, next: Duration?, failure: Failure?, count: Int = 1, firstAge: Duration? = nil
    ) {
        self.state = state
        self.app = app
        self.profile = profile
        self.origin = origin
        self.identifiers = identifiers
        self.age = age
        self.attempts = attempts
        self.next = next
        self.failure = failure
        self.count = count
        self.firstAge = firstAge
    }
}

/// All that is known of one profile in one app.
package struct DeskProfile: Sendable {
    package let app: String
    package let profile: ProfileReference
    /// What is not delivered yet, and how it stands; nil where nothing waits.
    package let undelivered: DeskItem?
    package let waiting: MergedPatch
    /// What Adapty confirmed, each with when.
    package let applied: [(field: MergedPatch.Field, confirmed: Timestamp)]
    package let deadLetters: [(item: DeskItem, identifiers: IntegrationIdentifiers)]

    package init(
        app: String, profile: ProfileReference, undelivered: DeskItem?, waiting: MergedPatch,
        applied: [(field: MergedPatch.Field, confirmed: Timestamp)],
        deadLetters: [(item: DeskItem, identifiers: IntegrationIdentifiers)]
    ) {
        self.app = app
        self.profile = profile
        self.undelivered = undelivered
        self.waiting = waiting
        self.applied = applied
        self.deadLetters = deadLetters
    }
}

/// Where a change that takes several steps goes on.
package struct DeskPlace: Sendable, Equatable {
    /// When it began; nil before the first step.
    package var begun: Timestamp?
    /// What waits comes first, app by app and part by part; nil when that is done.
    package var app: String? = ""
    package var part = 0
    /// The newest dead letter that was looked at.
    package var letter = ""

    package init() {}
}

/// What one step came to.
package struct DeskStep: Sendable, Equatable {
    package var changed = 0
    /// Dead letters that had nothing to replay: newer values are known. They are gone as well.
    package var superseded = 0
    /// Nil: it is done.
    package var next: DeskPlace?

    package init() {}
}
