import DequeModule
import Relay

// The fold: what changed in memory is written to the profiles' rows, and the log up to there is let go.

/// Entries that differ from their rows, in the order in which they began to; the oldest of them in the order in which
/// their rows stand.
///
/// A new row's place in the index is a hash's, anywhere. Written as they came, each row changed a page of its own; of
/// many that are written in the order of their hashes some hundred share one. What that costs is that the log is let go
/// only when all of them are written.
struct UnfoldedQueue {
    struct Place {
        let entry: Entry
        /// No row of the log before this one speaks of the entry's changes.
        let sequence: Int64
        let since: Timestamp
    }

    private var places = Deque<Place>()
    private var arranged = Deque<Place>()
    /// Of the first that was arranged; holds while any of them is not written.
    private var arrangedFirst = (sequence: Int64(0), since: Timestamp(milliseconds: 0))
    /// The newest place in the log; what is not in the queue is folded up to here.
    var last: Int64 = 0

    var count: Int { places.count + arranged.count }
    var oldest: Timestamp? { arranged.isEmpty ? places.first?.since : arrangedFirst.since }

    /// Up to where the log says nothing that is not in the profiles' rows as well.
    var foldedThrough: Int64 {
        if !arranged.isEmpty { return arrangedFirst.sequence - 1 }
        return places.first.map { $0.sequence - 1 } ?? last
    }

    mutating func append(_ place: Place) { places.append(place) }

    /// Puts the oldest in the order of their rows, unless those of an earlier call are not written yet.
    /// - Parameter isMeant: whether a place, the first of those that are left being 0, is to be among them; asked until
    ///   one is not.
    mutating func arrange(_ most: Int, while isMeant: (_ number: Int, Place) -> Bool) {
        guard arranged.isEmpty, let first = places.first else { return }
        var count = 0
        while count < min(most, places.count), isMeant(count, places[count]) { count += 1 }
        guard count > 0 else { return }
        arrangedFirst = (first.sequence, first.since)
        let keyed = places.prefix(count).map { place in (rank: place.entry.rank, place: place) }
        arranged = Deque(keyed.sorted { $0.rank < $1.rank }.map(\.place))
        places.removeFirst(count)
    }

    /// Back to the order in which they began to differ.
    mutating func disarrange() {
        places.prepend(contentsOf: arranged.sorted { $0.sequence < $1.sequence })
        arranged.removeAll()
    }

    /// At least one, where there is any.
    /// - Parameter bytes: no more than so many in all, of those after the first.
    mutating func take(_ count: Int, bytes: Int) -> [Place] {
        arrange(count) { _, _ in true }
        var rest = bytes
        var slice: [Place] = []
        for place in arranged.prefix(count) {
            rest -= place.entry.state.size
            if rest < 0, !slice.isEmpty { break }
            slice.append(place)
        }
        arranged.removeFirst(slice.count)
        return slice
    }

    /// What was taken last.
    mutating func putBack(_ slice: [Place]) { arranged.prepend(contentsOf: slice) }
}

extension Entry {
    /// Where its row stands, or the index has it, among those that are written together.
    fileprivate var rank: UInt64 {
        // Rows that are there come first, in their order; then new ones in that of the index.
        guard row == 0 else { return UInt64(bitPattern: row) >> 1 }
        let key = ProfileRow.key(of: profile, in: app.name)
        return 1 << 63 | UInt64(bitPattern: key ^ .min) >> 1
    }
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
            guard entry.app.entry(of: entry.profile) === entry else { continue }
            if entry.nodes.contains(.isNewer) { markDirty(entry, from: nil, at: now) }
        }
    }
}
