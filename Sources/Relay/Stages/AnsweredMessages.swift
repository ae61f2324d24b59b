import Synchronization

/// The signed messages of one source that were answered 2xx, for as long as a copy of them would still be believed.
///
/// A copy is then answered without being looked at again. It matters where a payload has no time of its own and its
/// sender signs it anew when it repeats it: by the time of that signature it would be newer than what came between.
/// What was refused, or is not durable yet, is not here, so its copy is taken as if it were the first.
package final class AnsweredMessages: Sendable {
    /// Beyond so many the oldest are forgotten. About a hundred bytes each.
    package static let most = 100_000

    fileprivate struct State {
        /// Until when each is known.
        var ends: [MessageDigest: Timestamp] = [:]
        /// In the order of their answers, from `first` on. One that was answered again stands in it again.
        var order: [(id: MessageDigest, end: Timestamp)] = []
        var first = 0
    }

    private let state = Mutex(State())
    private let most: Int

    package init(most: Int = AnsweredMessages.most) {
        self.most = max(1, most)
    }

    package func contains(_ message: SignedMessage, at now: Timestamp) -> Bool {
        state.withLock { state in state.ends[message.id].map { $0 >= now } ?? false }
    }

    /// To be called once the message was answered 2xx, and so is durable.
    package func remember(_ message: SignedMessage, at now: Timestamp) {
        // One that was signed ahead of our clock can be presented for longer.
        let end = max(now, message.time) + message.tolerance
        state.withLock { state in
            guard state.ends[message.id].map({ $0 < end }) ?? true else { return }
            state.ends[message.id] = end
            state.order.append((message.id, end))
            state.forget(beyond: most, at: now)
        }
    }

    /// How many are known.
    var count: Int { state.withLock { $0.ends.count } }
}

extension AnsweredMessages.State {
    fileprivate mutating func forget(beyond most: Int, at now: Timestamp) {
        while first < order.count, order.count - first > most || order[first].end < now {
            let (id, end) = order[first]
            if ends[id] == end { ends[id] = nil }
            first += 1
        }
        // In one go now and then, so that it costs nothing much each time.
        if first > 1024, first > order.count / 2 {
            order.removeFirst(first)
            first = 0
        }
    }
}
