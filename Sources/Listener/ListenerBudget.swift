import Relay
import Synchronization

/// What all listeners of the process share: how many connections may be open, and how many bytes may be in flight
/// over all of them. Each loop counts for itself otherwise; these two are atomic because memory and descriptors are
/// the process's.
package final class ListenerBudget: Sendable {
    private let mostConnections: Int
    private let mostBytes: Int
    private let connections = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let shares: ConnectionShares

    /// - Parameters:
    ///   - connections: how many may be open.
    ///   - perAddress: how many of them one IPv4 address, or one IPv6 /64, may have; nil for no such limit.
    ///   - bytes: how many bytes of requests and answers may be held; beyond it requests get 503.
    package init(connections: Int = 20_000, perAddress: Int? = nil, bytes: Int = 128 << 20) {
        mostConnections = connections
        shares = ConnectionShares(most: perAddress ?? .max)
        mostBytes = bytes
    }

    package var openConnections: Int { connections.load(ordering: .relaxed) }

    package var bytesInFlight: Int { bytes.load(ordering: .relaxed) }

    func takeConnection() -> Bool {
        guard connections.add(1, ordering: .relaxed).newValue <= mostConnections else {
            returnConnection()
            return false
        }
        return true
    }

    /// Another loop may make or take the room at any moment.
    var isFull: Bool { connections.load(ordering: .relaxed) >= mostConnections }

    func returnConnection() {
        connections.subtract(1, ordering: .relaxed)
    }

    /// Nil where the address has as many connections as it may.
    func takeShare(of address: IPAddress) -> ConnectionShare? { shares.take(address.subscriber) }

    func returnShare(_ share: ConnectionShare) { shares.giveBack(share) }

    /// Counts a change in what one connection holds. False where it holds more now and all together hold too much: it
    /// is counted all the same, and whoever asked has to let go of it.
    func settle(_ change: Int) -> Bool {
        guard change != 0 else { return true }
        return bytes.add(change, ordering: .relaxed).newValue <= mostBytes || change < 0
    }
}
