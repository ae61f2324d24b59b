import Synchronization

/// How many connections each subscriber has open, over all loops. Holds as many entries as there are subscribers with
/// one open, so no more than connections may be.
final class ConnectionShares: Sendable {
    private final class Shard: Sendable {
        let shares = Mutex<[UInt64: ConnectionShare]>([:])
    }

    private let most: Int
    private let shards = (0..<16).map { _ in Shard() }

    /// - Parameter most: how many one subscriber may have open.
    init(most: Int) {
        self.most = most
    }

    /// Nil where the subscriber has as many as it may.
    func take(_ subscriber: UInt64) -> ConnectionShare? {
        shard(of: subscriber).shares.withLock { shares in
            let share = shares[subscriber] ?? ConnectionShare(subscriber)
            guard share.count < most else { return nil }
            shares[subscriber] = share
            share.open.add(1, ordering: .relaxed)
            return share
        }
    }

    func giveBack(_ share: ConnectionShare) {
        shard(of: share.subscriber).shares.withLock { shares in
            if share.open.subtract(1, ordering: .relaxed).newValue == 0 { shares[share.subscriber] = nil }
        }
    }

    private func shard(of subscriber: UInt64) -> Shard {
        shards[Int(truncatingIfNeeded: subscriber ^ subscriber >> 32) & 15]
    }
}

/// What one subscriber has open. Its connections hold it, so that comparing subscribers costs no search.
final class ConnectionShare: Sendable {
    fileprivate let subscriber: UInt64
    fileprivate let open = Atomic<Int>(0)

    fileprivate init(_ subscriber: UInt64) {
        self.subscriber = subscriber
    }

    var count: Int { open.load(ordering: .relaxed) }
}
