import Relay

/// What is known of one profile of one app. A million of these wait when an upstream is down, so the common parts are
/// inline and the rare ones behind one pointer each.
final class Entry {
    /// The app's ledger owns its entries.
    unowned let app: AppLedger
    let profile: ProfileReference
    var state = State()
    /// The id of its row in the file; 0 until it has one.
    var row: Int64 = 0

    /// Queues are cleaned lazily; these say which of them hold this entry, valid or not.
    var nodes: Nodes = []
    /// How many of this entry's places in `Ledger.oldest` are of an earlier wait.
    var staleWaits: UInt32 = 0

    init(app: AppLedger, profile: ProfileReference) {
        self.app = app
        self.profile = profile
    }

    /// What a merge may change, and an undo puts back.
    struct State {
        /// Not yet delivered. Of a field in both, this is as new as `applied` or newer.
        var waiting = PackedPatch()
        /// What Adapty confirmed.
        var applied = AppliedPatch()
        /// Since when it waits.
        var since = Timestamp(milliseconds: 0)
        /// When the next attempt is due; meaningful for `.later`.
        var due = Timestamp(milliseconds: 0)
        /// When the first of the attempts failed; meaningful where there are any. A start finds it in the row.
        var failingSince = Timestamp(milliseconds: 0)
        var lastFailure: Shared<Failure>?
        /// What few profiles have; nil where there is nothing of it.
        private var rareParts: Shared<Rare>?
        /// The request that brought the newest change; all zeros where it is not known, which saves an optional's room.
        var request = State.noRequest
        var attempts: Int32 = 0
        /// Who brought the newest change; a place in `Ledger.origins`.
        var origin: UInt16 = 0
        var place = Place.none
        /// Differs from its row in the file.
        var isDirty = false

        static let noRequest = UniqueID(high: 0, low: 0)

        var isWaiting: Bool { !waiting.isEmpty }

        var rare: Rare {
            get { rareParts?.value ?? Rare() }
            set { rareParts = newValue.isEmpty ? nil : Shared(newValue) }
        }

        var hasRare: Bool { rareParts != nil }

        /// About how many bytes its row's patches have.
        var size: Int { waiting.size + applied.size }
    }

    /// Where the next attempt comes from.
    enum Place: UInt8 {
        case none, fresh, later, inFlight
    }

    struct Nodes: OptionSet {
        let rawValue: UInt8
        static let fresh = Nodes(rawValue: 1)
        static let idle = Nodes(rawValue: 2)
        static let newerTimes = Nodes(rawValue: 4)
        /// Has newer times in memory than in the file.
        static let isNewer = Nodes(rawValue: 8)
        /// Was asked for since it was last looked at for eviction.
        static let isRecent = Nodes(rawValue: 16)
        /// Was merged into since the last commit, which may be taken back, or is being written: it must not change.
        static let isUncommitted = Nodes(rawValue: 32)
    }
}

extension Entry {
    /// What is known of a field that arrives. Of the newer ones nothing is to be learnt; the same may have a newer
    /// time.
    enum Knowledge {
        case newerWaiting, newerApplied
        case sameWaiting(MergedPatch.Field)
        case sameApplied(AppliedPatch.Field)
        case sameRejected(RejectedField)

        var disposition: Disposition {
            switch self {
            case .newerWaiting, .sameWaiting: .unchangedWaiting
            case .newerApplied, .sameApplied: .unchangedApplied
            case .sameRejected(let rejected): Disposition(.unchangedApplied, refusal: rejected.answer)
            }
        }
    }

    /// Nil where the field is to wait: its value is another, or nobody knows it, or Adapty is to hear it again.
    func knowledge(of field: MergedPatch.Field, from arrival: Arrival, at now: Timestamp) -> Knowledge? {
        if let waiting = state.waiting[field.identifier] {
            if field.at < waiting.at { return .newerWaiting }
            return field.value == waiting.value ? .sameWaiting(waiting) : nil
        }
        if state.hasRare, let rejected = state.rare.rejected(field.identifier), rejected.field.value == field.value {
            return .sameRejected(rejected)
        }
        guard let applied = state.applied[field.identifier], !arrival.isInsistent else { return nil }
        if field.at < applied.field.at { return .newerApplied }
        guard field.value == applied.field.value, now - applied.confirmed < app.reassertAfter else {
            return nil
        }
        return .sameApplied(applied)
    }
}

extension Entry.State {
    /// What is known of an identifier: what waits, else what is applied.
    func field(_ identifier: Identifier) -> MergedPatch.Field? {
        waiting[identifier] ?? applied[identifier]?.field
    }
}

/// A value that many entries hold at once: a million profiles fail for the same reason.
final class Shared<Value> {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}

/// What Adapty holds of a profile, as far as we know.
struct AppliedPatch: Equatable {
    struct Field: Equatable {
        /// With the newest vendor time at which this value was said, also after it was applied.
        var field: MergedPatch.Field
        /// When Adapty said that it holds the value.
        var confirmed: Timestamp
    }

    /// In no order, each at most once.
    private(set) var fields: [Field] = []

    var isEmpty: Bool { fields.isEmpty }

    /// About how many bytes of the file it takes.
    var size: Int { fields.reduce(0) { $0 + PackedPatch.size(of: $1.field) } }

    /// The same, nothing of it confirmed later than at a time.
    func confirmed(notAfter time: Timestamp) -> AppliedPatch {
        guard fields.contains(where: { $0.confirmed > time }) else { return self }
        var patch = self
        for place in fields.indices { patch.fields[place].confirmed = min(fields[place].confirmed, time) }
        return patch
    }

    subscript(identifier: Identifier) -> Field? {
        get { fields.first { $0.field.identifier == identifier } }
        set {
            let place = fields.firstIndex { $0.field.identifier == identifier }
            switch (place, newValue) {
            case (let place?, let field?): fields[place] = field
            case (let place?, nil): fields.remove(at: place)
            case (nil, let field?): fields.append(field)
            case (nil, nil): break
            }
        }
    }
}
