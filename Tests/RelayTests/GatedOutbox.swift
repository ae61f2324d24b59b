import Relay
import Synchronization

/// Keeps appends waiting, as a slow disk does, until it is opened.
final class GatedOutbox: Outbox {
    private struct State {
        var isOpen = false
        var arrivals = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return exchange(&state.waiting, with: [])
        }
        for continuation in waiting { continuation.resume() }
    }

    func waitForArrivals(_ count: Int) async {
        while state.withLock({ $0.arrivals }) < count { await Task.yield() }
    }

    func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition] {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.arrivals += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
        return submission.patches.map { _ in .accepted }
    }

    func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim {
        Claim(deliveries: [], nextDue: nil, hasMore: false)
    }
    func settle(_ delivery: Delivery, as settlement: Settlement) {}
    func census() async -> [Census] { [] }
    var isWritable: Bool { true }
}
