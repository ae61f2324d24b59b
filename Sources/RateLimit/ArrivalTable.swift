import Synchronization

/// Theoretical arrival times by key, in memory that never grows, however many keys are seen.
///
/// A fixed set-associative table, as in a CPU cache: a key's hash picks a set, and the key may stand in any of its
/// ways. An entry whose time has passed says the same as no entry, so nothing is ever removed: it is written over.
/// Where a set is full of entries that still mean something, the one closest to its expiry goes, and that key is
/// forgiven what it had left: the least that can be lost. Keys are 64-bit hashes under a seed that no caller knows, so
/// nobody can aim at another's set; two keys with one hash would share a limit, at odds of one in 2^64 for each pair.
final class ArrivalTable: Sendable {
    /// Eight ways of 16 bytes: two cache lines.
    static let ways = 8

    private struct Entry {
        var key: UInt64 = 0
        var arrival: UInt64 = 0
    }

    /// One lock and its sets. A class, so that every lock has a cache line to itself.
    private final class Shard: Sendable {
        let entries: Mutex<[Entry]>

        init(capacity: Int) {
            entries = Mutex(Array(repeating: Entry(), count: capacity))
        }
    }

    private let shards: [Shard]
    private let setsPerShard: Int

    /// - Parameter capacity: the most entries it can hold; rounded up to whole sets, a power of two of them.
    /// - Parameter shards: how many locks; a power of two.
    init(capacity: Int, shards: Int = 16) {
        precondition(capacity > 0 && shards > 0 && shards.nonzeroBitCount == 1)
        var setsPerShard = 1
        while setsPerShard * shards * Self.ways < capacity { setsPerShard *= 2 }
        self.setsPerShard = setsPerShard
        self.shards = (0..<shards).map { _ in Shard(capacity: setsPerShard * Self.ways) }
    }

    /// The most entries it can hold.
    var capacity: Int { shards.count * setsPerShard * Self.ways }

    /// Calls under the key's lock with the arrival time kept for it, or with `now` where none is or it has passed. A
    /// change of it is kept.
    func withArrival<Result>(
        of key: UInt64, at now: UInt64, _ body: (inout UInt64) throws -> Result
    ) rethrows -> Result {
        // The low bits pick the shard and the ones above them the set: disjoint, or every shard would use few of its
        // sets.
        let shard = shards[Int(truncatingIfNeeded: key) & (shards.count - 1)]
        let set = Int(truncatingIfNeeded: key >> UInt64(shards.count.trailingZeroBitCount)) & (setsPerShard - 1)
        return try shard.entries.withLock { entries in
            let place = Self.place(of: key, among: entries, in: set)
            let kept = entries[place].key == key ? max(entries[place].arrival, now) : now
            var arrival = kept
            let result = try body(&arrival)
            if arrival != kept { entries[place] = Entry(key: key, arrival: arrival) }
            return result
        }
    }

    /// How many entries still mean something at a time. Looks at all of them: for tests and diagnosis.
    func count(at now: UInt64) -> Int {
        shards.reduce(0) { sum, shard in sum + shard.entries.withLock { $0.count { $0.arrival > now } } }
    }

    /// Where the key stands; else where it may be written: the entry closest to its expiry, or longest past it.
    private static func place(of key: UInt64, among entries: [Entry], in set: Int) -> Int {
        let ways = set * Self.ways..<(set + 1) * Self.ways
        var victim = ways.lowerBound
        for way in ways {
            if entries[way].key == key { return way }
            if entries[way].arrival < entries[victim].arrival { victim = way }
        }
        return victim
    }
}
