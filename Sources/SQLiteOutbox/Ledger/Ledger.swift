import DequeModule
import Relay

/// What is waiting and what is applied, for every profile of every app: the outbox as a value in memory. Decides, and
/// does no I/O; the store makes durable what it decides.
///
/// A field is told from another by its sequence, its place in the order of arrival. Its time may grow while it waits
/// or is on its way: the same value said again later. So a settlement finds what was sent by sequence.
final class Ledger {
    let settings: OutboxSettings
    private(set) var apps: [String: AppLedger] = [:]
    private(set) var origins: [String] = []
    private var originPlaces: [String: UInt16] = [:]

    private var undos: [Undo] = []
    var unfolded = UnfoldedQueue()
    var newerTimes = Deque<Entry>()
    private var idle = Deque<Entry>()
    /// Entries that were removed and may still be in `idle`, at most.
    private var forgotten = 0
    private var lastFailure: Shared<Failure>?
    private var lastAnswer: RememberedAnswer?
    /// Apps with something due that their consumer does not know of.
    private var toTell: Set<String> = []

    init(settings: OutboxSettings) {
        self.settings = settings
    }

    /// A field that arrived, and what is known of it.
    private struct KnownField {
        let field: MergedPatch.Field
        let knowledge: Entry.Knowledge
    }

    private struct Undo {
        let entry: Entry
        let state: Entry.State
        let isNew: Bool
    }

    func app(_ name: String) -> AppLedger {
        if let app = apps[name] { return app }
        let app = AppLedger(name: name, reassertAfter: settings.reassertAfter[name] ?? .seconds(24 * 3600))
        apps[name] = app
        return app
    }

    func entry(of profile: ProfileReference, in app: String) -> Entry? { apps[app]?.entry(of: profile) }

    var waitingCount: Int { apps.values.reduce(0) { $0 + $1.waitingCount } }
    private var entryCount: Int { apps.values.reduce(0) { $0 + $1.count } }

    func origin(_ name: String) -> UInt16 {
        if let place = originPlaces[name] { return place }
        // Names come from the configuration; there are never so many. If there were, the last would speak for the rest.
        let place = UInt16(clamping: origins.count)
        if place < UInt16.max {
            origins.append(name)
            originPlaces[name] = place
        }
        return place
    }

    func originName(_ place: UInt16) -> String {
        origins.indices.contains(Int(place)) ? origins[Int(place)] : ""
    }

    // MARK: Merge

    /// Takes a patch in. What it changes can be put back by `undo(to:)` until `keep` is called.
    /// - Parameter now: by the store's clock, as all times of the ledger; the vendor's and the request's are other
    ///   clocks', and are compared only with their like.
    func merge(_ arrival: Arrival, at now: Timestamp) -> Disposition {
        let app = app(arrival.app)
        let known = app.entry(of: arrival.profile)
        let entry = known ?? app.addEntry(of: arrival.profile)
        undos.append(Undo(entry: entry, state: entry.state, isNew: known == nil))
        entry.nodes.formUnion([.isRecent, .isUncommitted])

        let wasWaiting = entry.state.isWaiting
        var arrival = arrival
        // Whoever brings a value that was refused is told so from memory; nothing else is waited for.
        let refusal = refusal(of: arrival, entry)
        if refusal != nil { arrival.isAwaited = false }
        var disposition = Disposition(.unchangedApplied, refusal: refusal)
        for (identifier, value) in arrival.identifiers.fields {
            let field = arrival.field(identifier, value, after: entry.state.field(identifier))
            disposition.add(take(field, of: arrival, into: entry, at: now))
        }
        if disposition.kind == .accepted {
            entry.state.origin = origin(arrival.origin)
            entry.state.request = arrival.request ?? Entry.State.noRequest
            markDirty(entry, from: arrival.sequence, at: now)
            if !wasWaiting {
                beginWait(of: entry, since: now)
                queueFresh(entry)
            } else if entry.state.place == .later, entry.state.attempts == 0 {
                // It waited to be sent once more; what is new does not wait with it.
                queueFresh(entry)
            }
        }
        if arrival.isAwaited, let request = arrival.request, disposition.kind != .unchangedApplied {
            let fields = IdentifierSet(arrival.identifiers).intersection(entry.state.waiting.identifiers)
            noteCaller(Waiter(request, fields), of: entry)
        }
        return disposition
    }

    /// Adapty's answer to the first value of it that Adapty has refused.
    private func refusal(of arrival: Arrival, _ entry: Entry) -> RememberedAnswer? {
        guard entry.state.hasRare, !entry.state.rare.rejected.isEmpty else { return nil }
        for (identifier, value) in arrival.identifiers.fields {
            let field = arrival.field(identifier, value, after: entry.state.field(identifier))
            if entry.state.waiting[identifier] == nil, let rejected = entry.state.rare.rejected(identifier),
                rejected.field.value == field.value
            {
                return rejected.answer
            }
        }
        return nil
    }

    /// What one field comes to. The newest vendor time wins, whatever the order of arrival; of equal times the later
    /// arrival.
    ///
    /// The same value with a newer time raises the time of what is known: an event between the two, arriving later,
    /// is late. That is kept in memory and reaches the file with the profile's next row, at the latest after
    /// `newerTimesAfter`: nobody was promised more than that the value is known, and it is.
    private func take(
        _ field: MergedPatch.Field, of arrival: Arrival, into entry: Entry, at now: Timestamp
    ) -> Disposition {
        let isWaiting = entry.state.waiting[field.identifier] != nil
        if let known = entry.knowledge(of: field, from: arrival, at: now) {
            confirm(known, by: field, of: arrival, in: entry, at: now)
            return known.disposition
        }
        if entry.state.hasRare { entry.state.rare.forgetRejected(field.identifier) }
        if isWaiting {
            if !arrival.isAwaited { unmark(IdentifierSet(field.identifier), of: entry) }
        } else if arrival.isInsistent, let applied = entry.state.applied[field.identifier]?.field, field.at < applied.at
        {
            // What is newer goes once more: it answers the caller, and sets nothing back.
            mark(field.identifier, of: entry)
            entry.state.waiting.merge(applied.again(as: field.sequence))
            return .accepted
        } else if arrival.isAwaited {
            mark(field.identifier, of: entry)
        }
        entry.state.waiting.merge(field)
        return .accepted
    }

    /// Whether an arrival says nothing new; notes nothing.
    func knows(_ arrival: Arrival, at now: Timestamp) -> Bool {
        guard let entry = apps[arrival.app]?.entry(of: arrival.profile), !entry.nodes.contains(.isUncommitted) else {
            return false
        }
        return arrival.identifiers.fields.allSatisfy { identifier, value in
            let field = arrival.field(identifier, value, after: entry.state.field(identifier))
            return entry.knowledge(of: field, from: arrival, at: now) != nil
        }
    }

    /// What an arrival comes to that says nothing new; nil where it does, or where what is known may yet be taken back.
    /// Nothing has to be written for it.
    func recognize(_ arrival: Arrival, at now: Timestamp) -> Disposition? {
        guard let entry = apps[arrival.app]?.entry(of: arrival.profile), !entry.nodes.contains(.isUncommitted) else {
            return nil
        }
        // All of it is known, or nothing is changed: a single field, which nearly every event has, is looked up once.
        func known(_ identifier: Identifier, _ value: IntegrationIdentifiers.Value) -> KnownField? {
            let field = arrival.field(identifier, value, after: entry.state.field(identifier))
            return entry.knowledge(of: field, from: arrival, at: now).map { KnownField(field: field, knowledge: $0) }
        }
        let fields = arrival.identifiers.fields
        if fields.count > 1 {
            for (identifier, value) in fields where known(identifier, value) == nil { return nil }
        }
        var disposition = Disposition.unchangedApplied
        for (identifier, value) in fields {
            guard let known = known(identifier, value) else { return nil }
            disposition.add(known.knowledge.disposition)
            confirm(known.knowledge, by: known.field, of: arrival, in: entry, at: now)
        }
        entry.nodes.insert(.isRecent)
        return disposition
    }

    /// What is known was said again: its time may be newer now, and it is no longer only of callers who wait.
    private func confirm(
        _ known: Entry.Knowledge, by field: MergedPatch.Field, of arrival: Arrival, in entry: Entry, at now: Timestamp
    ) {
        switch known {
        case .newerWaiting, .sameWaiting:
            if !arrival.isAwaited { unmark(IdentifierSet(field.identifier), of: entry) }
        case .newerApplied, .sameApplied, .sameRejected:
            break
        }
        switch known {
        case .sameWaiting(let waiting) where field.at > waiting.at:
            entry.state.waiting.merge(waiting.at(field.at))
        case .sameApplied(let applied) where field.at > applied.field.at:
            entry.state.applied[field.identifier] = .init(
                field: applied.field.at(field.at), confirmed: applied.confirmed)
        case .sameRejected(var rejected):
            rejected.count += 1
            rejected.last = max(rejected.last, now)
            rejected.field = rejected.field.at(max(rejected.field.at, field.at))
            entry.state.rare.setRejected(rejected)
        case .sameWaiting, .sameApplied, .newerWaiting, .newerApplied:
            return
        }
        noteNewerTimes(of: entry)
    }

    /// A value is not refused any more: somebody wants it tried again, or its dead letter is gone. Can be undone.
    func forgetRejected(_ identifier: Identifier, of profile: ProfileReference, in app: String) {
        guard let entry = entry(of: profile, in: app), entry.state.rare.rejected(identifier) != nil else { return }
        undos.append(Undo(entry: entry, state: entry.state, isNew: false))
        entry.nodes.insert(.isUncommitted)
        entry.state.rare.forgetRejected(identifier)
    }

    /// How often a refused value was said, as the file has it.
    func note(_ count: Int, of letter: DeadLetter) {
        guard let entry = entry(of: letter.profile, in: letter.app),
            var rejected = entry.state.rare.rejected(letter.field.identifier),
            rejected.field.value == letter.field.value
        else { return }
        rejected.count = max(rejected.count, count)
        entry.state.rare.setRejected(rejected)
    }

    // MARK: Undo

    var undoMark: Int { undos.count }

    /// Something was merged that may yet be taken back.
    var hasUncommitted: Bool { !undos.isEmpty }

    /// Puts back what was merged since a mark, newest first.
    func undo(to mark: Int) {
        while undos.count > mark, let undo = undos.popLast() {
            let entry = undo.entry
            let isWaiting = entry.state.isWaiting
            entry.state = undo.state
            if isWaiting && !entry.state.isWaiting { entry.app.endWait(of: entry) }
            if undo.isNew {
                entry.app.remove(entry)
                entry.nodes.remove(.isNewer)
            }
            // Of several merges into one entry, those before the mark stay.
            if mark == 0 || !undos.contains(where: { $0.entry === entry }) { entry.nodes.remove(.isUncommitted) }
        }
    }

    /// What was merged is durable.
    func keep() {
        for undo in undos { undo.entry.nodes.remove(.isUncommitted) }
        undos.removeAll(keepingCapacity: true)
    }

    // MARK: Waits and places

    func beginWait(of entry: Entry, since: Timestamp) {
        entry.state.since = since
        entry.app.beginWait(of: entry)
    }

    func endWait(of entry: Entry) {
        entry.app.endWait(of: entry)
        entry.state.place = .none
        entry.app.note(0, nil, of: entry)
        noteIdle(entry)
    }

    func queueFresh(_ entry: Entry) {
        if entry.app.queueFresh(entry) { toTell.insert(entry.app.name) }
    }

    func queueLater(_ entry: Entry, at due: Timestamp) {
        if entry.app.queueLater(entry, at: due) { toTell.insert(entry.app.name) }
    }

    /// The apps whose consumers must hear that something is due. Each is named once until it claims.
    func takeAppsToTell() -> Set<String> {
        guard !toTell.isEmpty else { return [] }
        return exchange(&toTell, with: [])
    }

    /// One instance for all that fail alike.
    func share(_ failure: Failure) -> Shared<Failure> {
        if let lastFailure, lastFailure.value == failure { return lastFailure }
        let shared = Shared(failure)
        lastFailure = shared
        return shared
    }

    /// One instance for all that are refused alike.
    func share(_ answer: UpstreamAnswer) -> RememberedAnswer {
        if let lastAnswer, lastAnswer.answer == answer { return lastAnswer }
        let shared = RememberedAnswer(answer)
        lastAnswer = shared
        return shared
    }

    // MARK: What is remembered

    func noteIdle(_ entry: Entry) {
        if entry.nodes.insert(.idle).inserted { idle.append(entry) }
    }

    /// Forgets delivered profiles beyond the bound, the ones not asked for longest first; a few at a time.
    func forget(at now: Timestamp) {
        var excess = entryCount - waitingCount - settings.mostRemembered
        var looks = min(idle.count, 2 * max(0, excess) + 16, 1024)
        while excess > 0, looks > 0 {
            looks -= 1
            let entry = idle.removeFirst()
            if entry.state.isWaiting {
                entry.nodes.remove(.idle)
            } else if entry.nodes.remove(.isRecent) != nil || entry.state.isDirty {
                idle.append(entry)
            } else if entry.nodes.contains(.isNewer) {
                markDirty(entry, from: nil, at: now)
                idle.append(entry)
            } else {
                entry.nodes.remove(.idle)
                if entry.app.remove(entry) { excess -= 1 }
            }
        }
    }

    /// Whether a delivered profile's row may go without loss: nothing of it is in memory alone.
    func isForgettable(_ entry: Entry) -> Bool {
        !entry.state.isWaiting && !entry.state.isDirty && !entry.nodes.contains(.isNewer)
    }

    /// Forgets a profile whose row is gone.
    func forget(_ entry: Entry) {
        entry.app.remove(entry)
        // It stays in the queue, until that is mostly such.
        forgotten += 1
        guard forgotten > entryCount + 1024 else { return }
        forgotten = 0
        idle.removeAll { entry in entry.app.entry(of: entry.profile) !== entry }
    }
}

extension Disposition {
    /// That of one more field.
    fileprivate mutating func add(_ other: Disposition) {
        switch (kind, other.kind) {
        case (_, .accepted), (.unchangedApplied, .unchangedWaiting): kind = other.kind
        case (_, .unchangedWaiting), (_, .unchangedApplied): break
        }
        if refusal == nil { refusal = other.refusal }
    }
}

extension MergedPatch.Field {
    /// The same value of the same time, with a place of its own in the order of arrival.
    fileprivate func again(as sequence: Int64) -> MergedPatch.Field {
        .init(identifier: identifier, value: value, at: at, sequence: sequence)
    }

    /// The same, true from another time.
    fileprivate func at(_ time: Timestamp) -> MergedPatch.Field {
        .init(identifier: identifier, value: value, at: time, sequence: sequence)
    }
}
