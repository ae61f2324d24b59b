import Metrics
import Synchronization

/// What is counted of requests. A counter is made on first use and kept: its labels come from routes and names that are
/// configured, never from what a caller typed, so there are few.
struct RequestMetrics: Sendable {
    private struct Key: Hashable {
        let route: String
        let caller: String
        let status: Int
    }

    /// Beyond so many kinds of refusals, further ones are counted together.
    private static let mostRejections = 512

    /// What requests of one kind came to. A class: changed where it is, under the lock.
    private final class Tally {
        let counter: Counter
        /// Events that were accepted or unchanged, and those that were skipped, since it was last asked.
        var taken = 0
        var skipped = 0
        /// Of the last request of which nothing came.
        var lastSkip: (skip: Skip, keys: [String])?

        init(_ counter: Counter) { self.counter = counter }
    }

    /// Most requests are of the same kind as the one before: to see that is to compare three words.
    private struct Requests {
        var tallies: [Key: Tally] = [:]
        var last: (key: Key, tally: Tally)?
    }

    /// A source of which nothing came to anything.
    struct IdleSource {
        let name: String
        let skipped: Int
        let skip: Skip
        let keys: [String]
    }

    private struct SkipKind: Hashable {
        let source: String
        let reason: Skip.Reason
    }

    private final class Counters: Sendable {
        let requests = Mutex(Requests())
        let skips = Mutex<[SkipKind: Counter]>([:])
        let unreadableTimes = Mutex<[String: Counter]>([:])
        let shed = Mutex<[Shedding: Counter]>([:])
        let rejections = Mutex<[RejectionKind: Counter]>([:])
    }

    private let counters = Counters()
    private let accepted = Counter(label: "patchbay_patches_total", dimensions: [("result", "accepted")])
    private let unchanged = Counter(label: "patchbay_patches_total", dimensions: [("result", "unchanged")])
    private let duration = Timer(label: "patchbay_request_seconds")

    func count(_ exchange: Exchange, _ rejection: RejectionKind?) {
        let account = exchange.account
        let key = Key(route: account.route, caller: account.caller, status: exchange.status)
        counters.requests.withLock { requests in
            let tally: Tally
            if let last = requests.last, last.key == key {
                tally = last.tally
            } else {
                tally = requests.tallies[key] ?? Tally(Self.counter(of: key))
                requests.tallies[key] = tally
                requests.last = (key, tally)
            }
            tally.counter.increment()
            tally.taken &+= account.accepted &+ account.unchanged
            guard let skip = account.skips.first else { return }
            tally.skipped &+= account.skips.count
            tally.lastSkip = (skip, account.keys)
        }
        if account.accepted > 0 { accepted.increment(by: account.accepted) }
        if account.unchanged > 0 { unchanged.increment(by: account.unchanged) }
        duration.recordNanoseconds(exchange.handleDuration.microseconds * 1000)
        for skip in account.skips { count(SkipKind(source: account.caller, reason: skip.reason)) }
        if account.unreadableTimes > 0 { countUnreadableTimes(account.unreadableTimes, of: account.caller) }
        if let rejection { count(rejection) }
    }

    private static func counter(of key: Key) -> Counter {
        Counter(
            label: "patchbay_requests_total",
            dimensions: [("route", key.route), ("caller", key.caller), ("status", String(key.status))])
    }

    /// The sources of which every event was skipped since this was last asked.
    func takeIdleSources() -> [IdleSource] {
        counters.requests.withLock { requests in
            var taken: Set<String> = []
            var idle: [String: IdleSource] = [:]
            for (key, tally) in requests.tallies where key.route.hasPrefix("/hooks/") {
                if tally.taken > 0 { taken.insert(key.caller) }
                if let last = tally.lastSkip, tally.skipped > 0 {
                    idle[key.caller] = IdleSource(
                        name: key.caller, skipped: tally.skipped, skip: last.skip, keys: last.keys)
                }
                (tally.taken, tally.skipped, tally.lastSkip) = (0, 0, nil)
            }
            return idle.values.filter { !taken.contains($0.name) }.sorted { $0.name < $1.name }
        }
    }

    private func count(_ kind: RejectionKind) {
        counters.rejections.withLock { counters in
            if let counter = counters[kind] { return counter }
            let isRoom = counters.count < Self.mostRejections
            let labels =
                isRoom
                ? [("route", kind.route), ("caller", kind.caller), ("code", kind.code), ("cause", kind.cause)]
                : [("route", ""), ("caller", ""), ("code", kind.code), ("cause", "other")]
            let counter = Counter(label: "patchbay_rejections_total", dimensions: labels)
            if isRoom { counters[kind] = counter }
            return counter
        }.increment()
    }

    private func count(_ kind: SkipKind) {
        counters.skips.withLock { counters in
            if let counter = counters[kind] { return counter }
            let counter = Counter(
                label: "patchbay_skips_total", dimensions: [("source", kind.source), ("reason", kind.reason.rawValue)])
            counters[kind] = counter
            return counter
        }.increment()
    }

    private func countUnreadableTimes(_ count: Int, of source: String) {
        counters.unreadableTimes.withLock { counters in
            if let counter = counters[source] { return counter }
            let counter = Counter(label: "patchbay_unreadable_times_total", dimensions: [("source", source)])
            counters[source] = counter
            return counter
        }.increment(by: count)
    }

    func count(_ reason: Shedding) {
        counters.shed.withLock { counters in
            if let counter = counters[reason] { return counter }
            let counter = Counter(
                label: "patchbay_connections_shed_total", dimensions: [("reason", reason.rawValue)])
            counters[reason] = counter
            return counter
        }.increment()
    }
}
