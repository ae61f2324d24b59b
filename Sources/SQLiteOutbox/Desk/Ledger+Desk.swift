import HeapModule
import Relay

// What of the desk's questions is about what waits: asked of a running store's ledger part by part, and of the ledger
// that was made of a file.

extension Ledger {
    /// One part of an app: how much there is of what, and what may be among the oldest of all.
    /// - Parameter before: only what waits since before this is looked for; nil for nothing.
    func survey(
        _ filter: DeskFilter, of app: String, part: Int, before: Timestamp?, at now: Timestamp
    ) -> (counts: [DeskSurvey.Key: Int], old: [WaitingSince]) {
        var counts: [DeskSurvey.Key: Int] = [:]
        var old: [WaitingSince] = []
        for (entry, state) in matches(filter, of: app, part: part, at: now) {
            let key = DeskSurvey.Key(app: app, state: state, error: entry.state.lastFailure?.value.code ?? "")
            counts[key, default: 0] += 1
            if let before, entry.state.since < before { old.append(WaitingSince(since: entry.state.since, entry)) }
        }
        return (counts, old)
    }

    /// What is still as the filter says; some may have been delivered since they were found.
    func items(of found: some Sequence<WaitingSince>, _ filter: DeskFilter, at now: Timestamp) -> [DeskItem] {
        found.compactMap { one in
            guard let state = state(of: one.entry, filter, at: now) else { return nil }
            return item(one.entry, state, at: now)
        }
    }

    func matches(
        _ filter: DeskFilter, of name: String, part: Int, at now: Timestamp
    ) -> some Sequence<(entry: Entry, state: DeskState)> {
        (apps[name]?.entries(in: part) ?? [:].values).lazy.compactMap { [self] entry in
            state(of: entry, filter, at: now).map { (entry, $0) }
        }
    }

    /// Nil where nothing waits, or the filter does not let it through.
    private func state(of entry: Entry, _ filter: DeskFilter, at now: Timestamp) -> DeskState? {
        let app = entry.app.name
        guard let state = entry.deskState(isPaused: filter.pausedApps.contains(app)),
            filter.accepts(
                state, app: app, origin: originName(entry.state.origin), error: entry.state.lastFailure?.value.code,
                age: now - entry.state.since, profile: entry.profile)
        else { return nil }
        return state
    }

    private func item(_ entry: Entry, _ state: DeskState, at now: Timestamp) -> DeskItem {
        DeskItem(
            state: state, app: entry.app.name, profile: entry.profile, origin: originName(entry.state.origin),
            identifiers: entry.state.waiting.patch.fields.map(\.identifier), age: now - entry.state.since,
            attempts: Int(entry.state.attempts),
            next: entry.state.place == .later ? max(entry.state.due - now, .zero) : nil,
            failure: entry.state.lastFailure?.value)
    }

    /// Memory knows better than the row, where it knows the profile.
    func show(
        _ profile: ProfileReference, of app: String, isPaused: Bool, _ stored: StoredProfile?,
        _ letters: [(item: DeskItem, identifiers: IntegrationIdentifiers)], at now: Timestamp
    ) -> DeskProfile? {
        let entry = entry(of: profile, in: app)
        guard entry != nil || stored != nil || !letters.isEmpty else { return nil }
        let applied = entry?.state.applied ?? stored?.applied ?? AppliedPatch()
        return DeskProfile(
            app: app, profile: profile,
            undelivered: entry.flatMap { entry in
                entry.deskState(isPaused: isPaused).map { item(entry, $0, at: now) }
            },
            waiting: entry?.state.waiting.patch ?? MergedPatch(),
            applied: applied.fields.map { ($0.field, $0.confirmed) }, deadLetters: letters)
    }
}

extension Entry {
    /// Nil where nothing waits.
    fileprivate func deskState(isPaused: Bool) -> DeskState? {
        guard state.isWaiting else { return nil }
        if state.place == .inFlight { return .inFlight }
        if isPaused { return .paused }
        guard state.attempts > 0 else { return .waiting }
        return state.lastFailure?.value.isOfMissingProfile == true ? .missing : .retrying
    }
}

/// A place in the order of age. `entry` is for the store's thread, and only held by others: hence unchecked.
struct WaitingSince: @unchecked Sendable, Comparable {
    let since: Timestamp
    let entry: Entry

    init(since: Timestamp, _ entry: Entry) {
        self.since = since
        self.entry = entry
    }

    static func < (left: WaitingSince, right: WaitingSince) -> Bool { left.since < right.since }
    static func == (left: WaitingSince, right: WaitingSince) -> Bool { left.since == right.since }
}

/// The oldest of what is shown to it, so many at most: each costs the logarithm of that, and nothing where it is newer
/// than all that are kept.
struct Oldest {
    private let most: Int
    private var kept = Heap<WaitingSince>()

    init(_ most: Int) {
        self.most = most
    }

    /// What is not older is of no use; nil where nothing is.
    var bound: Timestamp? {
        guard most > 0 else { return nil }
        return kept.count < most ? Timestamp(milliseconds: .max) : kept.max?.since
    }

    mutating func add(_ found: [WaitingSince]) {
        for one in found {
            guard kept.count == most else {
                kept.insert(one)
                continue
            }
            if let newest = kept.max, one < newest { kept.replaceMax(with: one) }
        }
    }

    var sorted: [WaitingSince] { kept.unordered.sorted() }
}
