import GRDB
import Relay

// The desk's questions and changes, as far as they are about what waits: each a small part of the store's time.

extension Store {
    /// A transaction of this many profiles keeps a commit behind it waiting for a few milliseconds.
    private static let batch = 256

    var appNames: [String] { Array(Set(ledger.apps.keys).union(deadLetterCounts.keys)) }

    // MARK: Changes of what waits

    /// One batch of one part.
    func changeWaiting(
        _ change: DeskChange, _ filter: DeskFilter, of app: String, from place: DeskPlace
    ) throws -> DeskStep {
        // A place may come from outside.
        guard (0..<AppLedger.partCount).contains(place.part) else { throw DeskError.noPlace }
        var step = DeskStep()
        let names = ledger.apps.keys.sorted()
        var place = place
        guard let name = names.first(where: { $0 >= app }) else {
            place.app = nil
            step.next = place
            return step
        }
        if name != app { (place.app, place.part) = (name, 0) }
        let entries = ledger.matches(filter, of: name, part: place.part, at: settings.clock())
            .map(\.entry).filter { change == .discard || $0.state.place == .later }.prefix(Self.batch)
        switch change {
        case .replay: for entry in entries { ledger.queueFresh(entry) }
        case .discard: try discard(Array(entries))
        }
        if !entries.isEmpty { ledger.apps[name]?.hasManyStale = true }
        if entries.count < Self.batch {
            place.part += 1
            if place.part == AppLedger.partCount {
                // Here and together: the next claim would drop them one by one on a loop, each a walk through the heap.
                if let app = ledger.apps[name], app.hasManyStale { app.dropAllStale() }
                place.part = 0
                place.app = names.first { $0 > name }
            }
        }
        step.changed = entries.count
        step.next = place
        return step
    }

    /// Gone when this returns, also for a start after a crash.
    private func discard(_ entries: [Entry]) throws {
        guard !entries.isEmpty else { return }
        let now = settings.clock()
        let states = entries.map { ledger.drop($0, at: now) }
        do {
            if let failure = status.lastingFailure { throw failure }
            try write([], folding: [], at: now, besides: entries)
        } catch {
            for (entry, state) in zip(entries, states) { ledger.takeBack(entry, state) }
            status.noteFailure(WriteFailure(error))
            throw error
        }
    }

    // MARK: Changes of dead letters

    func changeDead(_ change: DeskChange, _ ids: [String]) throws -> DeskStep {
        var step = DeskStep()
        guard !ids.isEmpty else { return step }
        let now = settings.clock()
        do {
            if let failure = status.lastingFailure { throw failure }
            // What a commit that failed left is written first: it may take the place of one of these.
            if !deadLetters.isEmpty { try write([], folding: [], at: now) }
            // Somebody else may have been here since they were looked for.
            let letters = try file.read { db in try ids.compactMap { try StoredLetter.find($0, in: db) } }
            var rows: [AcceptedRow] = []
            var waiting = 0
            try recall(letters.map { ($0.profile, $0.app) })
            for letter in letters { ledger.forgetRejected(letter.identifier, of: letter.profile, in: letter.app) }
            if change == .replay {
                for letter in letters where try exhume(letter, into: &rows, at: now) { waiting += 1 }
            }
            try write(rows, folding: [], at: now) { db in
                for letter in letters { try StoredLetter.remove(letter.id, from: db) }
            }
            ledger.keep()
            for letter in letters { deadLetterCounts[letter.app, default: 0] -= 1 }
            step.changed = change == .replay ? waiting : letters.count
            step.superseded = letters.count - step.changed
            return step
        } catch {
            ledger.undo(to: 0)
            // That too much waits says nothing of the disk.
            if !(error is DeskError) { status.noteFailure(WriteFailure(error)) }
            throw error
        }
    }

    /// Takes in again what a dead letter held, as far as nothing newer is known. Returns whether there was any.
    private func exhume(_ letter: StoredLetter, into rows: inout [AcceptedRow], at now: Timestamp) throws -> Bool {
        guard ledger.waitingCount < settings.mostWaiting else {
            throw DeskError.outbox(.full("\(ledger.waitingCount) profiles wait"))
        }
        let known = ledger.entry(of: letter.profile, in: letter.app)?.state.field(letter.identifier)
        guard known.map({ $0.at < letter.at }) ?? true else { return false }
        ledger.unfolded.last += 1
        var identifiers = IntegrationIdentifiers()
        identifiers[letter.identifier] = letter.value
        let arrival = Arrival(
            app: letter.app, profile: letter.profile, identifiers: identifiers, at: letter.at, isTimed: true,
            received: now, sequence: ledger.unfolded.last, origin: letter.origin, request: nil, isAwaited: false)
        if ledger.merge(arrival, at: now).kind == .accepted { rows.append(AcceptedRow(arrival: arrival)) }
        return true
    }
}

extension Ledger {
    /// Forgets what waits. Returns what was, for `takeBack`.
    fileprivate func drop(_ entry: Entry, at now: Timestamp) -> Entry.State {
        let state = entry.state
        entry.state.waiting = PackedPatch()
        entry.state.rare.waiters = []
        entry.state.rare.lateWaiters = []
        entry.state.rare.exclusive = []
        entry.state.rare.isolated = []
        endWait(of: entry)
        markDirty(entry, from: nil, at: now)
        return state
    }

    fileprivate func takeBack(_ entry: Entry, _ state: Entry.State) {
        let isDirty = entry.state.isDirty
        entry.state = state
        entry.state.isDirty = isDirty
        entry.state.attempts = 0
        entry.state.lastFailure = nil
        beginWait(of: entry, since: state.since)
        entry.app.note(state.attempts, state.lastFailure, of: entry)
        if state.place == .later { queueLater(entry, at: state.due) } else { queueFresh(entry) }
    }
}
