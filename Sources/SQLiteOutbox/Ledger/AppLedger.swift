import DequeModule
import HeapModule
import Relay

/// One app's profiles and the order in which they are due.
///
/// Two queues: the fresh ones in order of arrival, and those that failed before, by time. When both have something
/// due they take turns: a backlog of retries must not hold up what just came, nor a stream of arrivals the retries.
final class AppLedger {
    let name: String
    /// How long a confirmed value is not sent again when it comes unchanged.
    let reassertAfter: Duration
    static let partCount = 64
    /// In parts, each with its turn to grow: moving a million entries at once would hold up every append for a third
    /// of a second.
    private var parts = [[ProfileReference: Entry]](repeating: [:], count: partCount)
    private(set) var count = 0
    var waitingCount = 0
    /// Those that wait and failed before, and among them those whose profile Adapty does not know.
    private(set) var retryingCount = 0
    private(set) var missingCount = 0
    /// What the consumer was last told about the next due time: `.max` that nothing waits, `.min` that something is
    /// due.
    private var told = Timestamp(milliseconds: .max)

    private var fresh = Deque<Entry>()
    private var later = Heap<Later>()
    private var isLatersTurn = false
    /// Some of the later ones were put elsewhere together; for who did it to clear.
    var hasManyStale = false

    /// Those that waited longest come first; an entry whose wait ended is still in it, marked stale.
    private var oldest = Deque<Entry>()

    init(name: String, reassertAfter: Duration) {
        self.name = name
        self.reassertAfter = reassertAfter
    }

    private struct Later: Comparable {
        let due: Timestamp
        let entry: Entry

        /// An entry that was claimed, or put elsewhere, since it was queued.
        var isStale: Bool { entry.state.place != .later || entry.state.due != due }

        static func < (left: Later, right: Later) -> Bool { left.due < right.due }
        static func == (left: Later, right: Later) -> Bool { left.due == right.due }
    }

    func entry(of profile: ProfileReference) -> Entry? { parts[part(of: profile)][profile] }

    func entries(in part: Int) -> Dictionary<ProfileReference, Entry>.Values {
        parts.indices.contains(part) ? parts[part].values : [:].values
    }

    func addEntry(of profile: ProfileReference) -> Entry {
        let entry = Entry(app: self, profile: profile)
        parts[part(of: profile)][profile] = entry
        count += 1
        return entry
    }

    /// Another entry of the same profile stays: this one was removed before, and a queue still held it.
    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ entry: Entry) -> Bool {
        let part = part(of: entry.profile)
        guard parts[part][entry.profile] === entry else { return false }
        parts[part][entry.profile] = nil
        count -= 1
        return true
    }

    private func part(of profile: ProfileReference) -> Int {
        switch profile {
        case .profileID(let id): Int(truncatingIfNeeded: id.low ^ id.high) & (Self.partCount - 1)
        case .customerUserID(let id):
            // Ids differ in their last letters, if anywhere.
            id.text.withBytes { bytes in
                bytes.suffix(8).reduce(0) { $0 &* 31 &+ Int($1) } & (Self.partCount - 1)
            }
        }
    }

    // MARK: Queues

    /// Due at once. Returns whether the consumer does not know yet that something is.
    func queueFresh(_ entry: Entry) -> Bool {
        entry.state.place = .fresh
        if entry.nodes.insert(.fresh).inserted { fresh.append(entry) }
        return mustTell(Timestamp(milliseconds: .min))
    }

    /// Due at a time. Returns whether that is earlier than what the consumer knows.
    func queueLater(_ entry: Entry, at due: Timestamp) -> Bool {
        entry.state.place = .later
        entry.state.due = due
        later.insert(Later(due: due, entry: entry))
        // Each entry leaves at most one valid place, so what is beyond is stale.
        if later.count > 2 * waitingCount + 1024 { dropAllStale() }
        return mustTell(due)
    }

    private func mustTell(_ due: Timestamp) -> Bool {
        guard told > due else { return false }
        told = Timestamp(milliseconds: .min)
        return true
    }

    /// Takes what is due next; nil when nothing is.
    func popDue(at now: Timestamp, probe: ProbeOrder? = nil) -> Entry? {
        dropStale()
        if let probe, let entry = popUntried(probe) { return entry }
        let isLaterDue = later.min.map { $0.due <= now } ?? false
        guard !fresh.isEmpty || isLaterDue else { return nil }
        let takesLater = isLaterDue && (isLatersTurn || fresh.isEmpty)
        isLatersTurn = !takesLater
        if takesLater { return later.popMin()?.entry }
        let entry = fresh.removeFirst()
        entry.nodes.remove(.fresh)
        return entry
    }

    /// One of which no attempt has failed. Whoever was refused before says little of the upstream.
    private func popUntried(_ order: ProbeOrder) -> Entry? {
        if order == .newest {
            while let entry = fresh.last, entry.state.place != .fresh {
                entry.nodes.remove(.fresh)
                fresh.removeLast()
            }
        }
        // Callers that wait bring what has failed before to this queue as well: few of them stand in front.
        let few = order == .oldest ? Array(fresh.prefix(64)) : Array(fresh.suffix(64).reversed())
        guard let entry = few.first(where: { $0.state.place == .fresh && $0.state.attempts == 0 }) else { return nil }
        if fresh.first === entry {
            fresh.removeFirst()
            entry.nodes.remove(.fresh)
        } else if fresh.last === entry {
            fresh.removeLast()
            entry.nodes.remove(.fresh)
        }
        // In the middle it stays, stale, until its turn.
        return entry
    }

    /// What remains, told to the consumer.
    func tellNext(at now: Timestamp) -> (nextDue: Timestamp?, hasMore: Bool) {
        dropStale()
        let due = later.min?.due
        if !fresh.isEmpty || due.map({ $0 <= now }) ?? false {
            told = Timestamp(milliseconds: .min)
            return (nil, true)
        }
        told = due ?? Timestamp(milliseconds: .max)
        return (due, false)
    }

    private func dropStale() {
        while let entry = fresh.first, entry.state.place != .fresh {
            entry.nodes.remove(.fresh)
            fresh.removeFirst()
        }
        while let next = later.min, next.isStale { later.removeMin() }
    }

    /// Of those that wait for their time.
    func dropAllStale() {
        later = Heap(later.unordered.filter { !$0.isStale })
        hasManyStale = false
    }

    // MARK: Waits

    func beginWait(of entry: Entry) {
        waitingCount += 1
        oldest.append(entry)
        guard oldest.count > 2 * waitingCount + 1024 else { return }
        var kept = Deque<Entry>(minimumCapacity: waitingCount)
        for entry in oldest {
            if entry.staleWaits > 0 { entry.staleWaits -= 1 } else { kept.append(entry) }
        }
        oldest = kept
    }

    func endWait(of entry: Entry) {
        waitingCount -= 1
        entry.staleWaits += 1
    }

    /// Notes how often what waits has failed, and why. Every change of the two goes through here.
    func note(_ attempts: Int32, _ failure: Shared<Failure>?, of entry: Entry) {
        count(entry, by: -1)
        entry.state.attempts = attempts
        entry.state.lastFailure = failure
        count(entry, by: 1)
    }

    private func count(_ entry: Entry, by step: Int) {
        guard entry.state.attempts > 0 else { return }
        if entry.state.lastFailure?.value.isOfMissingProfile == true {
            missingCount += step
        } else {
            retryingCount += step
        }
    }

    /// Those that waited longest.
    func oldestWaiting(_ limit: Int) -> some Sequence<Entry> {
        oldest.lazy.filter(\.state.isWaiting).prefix(limit)
    }

    func census(at now: Timestamp) -> Census {
        while let entry = oldest.first, entry.staleWaits > 0 {
            entry.staleWaits -= 1
            oldest.removeFirst()
        }
        return Census(
            app: name, waiting: waitingCount, retrying: retryingCount, missing: missingCount,
            oldestAge: oldest.first.map { now - $0.state.since })
    }
}
