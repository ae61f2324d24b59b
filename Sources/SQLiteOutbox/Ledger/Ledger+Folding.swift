import DequeModule
import Relay

// The fold: what changed in memory is written to the profiles' rows, and the log up to there is let go.

/// Entries that differ from their rows, in the order in which they began to.
struct UnfoldedQueue {
    struct Place {
        let entry: Entry
        /// No row of the log before this one speaks of the entry's changes.
        let sequence: Int64
        let since: Timestamp
    }

    private(set) var places = Deque<Place>()
    /// The newest place in the log; what is not in the queue is folded up to here.
    var last: Int64 = 0

    var count: Int { places.count }
    var oldest: Timestamp? { places.first?.since }

    /// Up to where the log says nothing that is not in the profiles' rows as well.
    var foldedThrough: Int64 { places.first.map { $0.sequence - 1 } ?? last }

    mutating func append(_ place: Place) { places.append(place) }

    /// At least one, where there is any.
    /// - Parameter bytes: no more than so many in all, of those after the first.
    mutating func take(_ count: Int, bytes: Int) -> [Place] {
        var rest = bytes
        var slice: [Place] = []
        for place in places.prefix(count) {
            rest -= place.entry.state.size
            if rest < 0, !slice.isEmpty { break }
            slice.append(place)
        }
        places.removeFirst(slice.count)
        return slice
    }

    mutating func putBack(_ slice: [Place]) { places.prepend(contentsOf: slice) }
}

extension Ledger {
    /// - Parameter sequence: the row of the log that changed it; nil for a change that the log does not know.
    func markDirty(_ entry: Entry, from sequence: Int64?, at now: Timestamp) {
        guard !entry.state.isDirty else { return }
        entry.state.isDirty = true
        unfolded.append(.init(entry: entry, sequence: sequence ?? unfolded.last + 1, since: now))
    }

    func markFolded(_ entry: Entry, into row: Int64) {
        entry.row = row
        entry.state.isDirty = false
        entry.nodes.remove(.isNewer)
    }

    func noteNewerTimes(of entry: Entry) {
        entry.nodes.insert(.isNewer)
        if entry.nodes.insert(.newerTimes).inserted { newerTimes.append(entry) }
    }

    /// Marks the entries with newer times as changed, so that the fold writes them. Called every `newerTimesAfter`.
    func foldNewerTimes(at now: Timestamp) {
        for _ in 0..<newerTimes.count {
            let entry = newerTimes.removeFirst()
            entry.nodes.remove(.newerTimes)
            if entry.nodes.contains(.isNewer) { markDirty(entry, from: nil, at: now) }
        }
    }
}
