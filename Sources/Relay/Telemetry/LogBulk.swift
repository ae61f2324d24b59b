import Logging
import Synchronization

/// Lines of requests that nobody vouches for: the first of a kind is written, those of its next second are counted, and
/// one line says how many they were; who wants each of them has the log's level at `debug`. What a stranger can make us
/// write is then bounded by the number of kinds.
final class LogBulk: Sendable {
    /// Beyond so many kinds further ones are one: kinds are made of names that are configured and words of ours, so
    /// there are few.
    private static let mostKinds = 512
    private static let period = Duration.seconds(1)

    private struct Kind: Hashable {
        let route: String
        let caller: String
        let status: Int
        let refusal: RejectionKind?

        static let other = Kind(route: "", caller: "", status: 0, refusal: nil)
    }

    private struct Seen {
        let first: ContinuousClock.Instant
        let level: Logger.Level
        /// Those after the first.
        var count = 0
    }

    private struct State {
        var kinds: [Kind: Seen] = [:]
        var isLookSet = false
    }

    private let state = Mutex(State())
    private let log: any LineLog
    private let clock: any Clock<Duration>

    init(log: any LineLog, clock: any Clock<Duration>) {
        self.log = log
        self.clock = clock
    }

    /// What costs its sender nothing: nobody known sent it, or too much of it.
    static func takes(_ exchange: Exchange) -> Bool {
        exchange.account.caller.isEmpty || exchange.status == 401 || exchange.status == 429
    }

    /// Whether a request is to be written; otherwise it is counted.
    func isFirst(
        _ exchange: Exchange, _ refusal: RejectionKind?, _ level: Logger.Level,
        at now: ContinuousClock.Instant = .now
    ) -> Bool {
        let account = exchange.account
        let kind = Kind(route: account.route, caller: account.caller, status: exchange.status, refusal: refusal)
        let (isFirst, mustLook) = state.withLock { state -> (Bool, Bool) in
            if state.kinds[kind] != nil {
                state.kinds[kind]?.count += 1
                return (false, false)
            }
            let isRoom = state.kinds.count < Self.mostKinds
            let known = isRoom ? nil : state.kinds[.other]
            var seen = known ?? Seen(first: now, level: level)
            if known != nil { seen.count += 1 }
            state.kinds[isRoom ? kind : .other] = seen
            let mustLook = !state.isLookSet
            state.isLookSet = true
            return (known == nil, mustLook)
        }
        if mustLook { lookLater() }
        return isFirst
    }

    private func lookLater() {
        Task { [clock] in
            try? await clock.sleep(for: Self.period)
            if summarize() { lookLater() }
        }
    }

    /// Writes how many there were of each kind whose second is over.
    /// - Parameter all: of the others as well.
    /// - Returns: whether there are others.
    @discardableResult
    func summarize(all: Bool = false, at now: ContinuousClock.Instant = .now) -> Bool {
        let (over, isAnyLeft) = state.withLock { state -> ([(Kind, Seen)], Bool) in
            var over: [(Kind, Seen)] = []
            for (kind, seen) in state.kinds where all || seen.first.duration(to: now) >= Self.period {
                state.kinds[kind] = nil
                if seen.count > 0 { over.append((kind, seen)) }
            }
            state.isLookSet = !state.kinds.isEmpty
            return (over, state.isLookSet)
        }
        for (kind, seen) in over {
            log.write(seen.level, "requests like one before") { json in
                json.field("count", seen.count)
                if !kind.route.isEmpty { json.field("route", kind.route) }
                if kind.status > 0 { json.field("status", kind.status) }
                if !kind.caller.isEmpty { json.field("caller", kind.caller) }
                if let refusal = kind.refusal {
                    if !refusal.app.isEmpty { json.field("app", refusal.app) }
                    json.field("error_code", refusal.code)
                    if !refusal.cause.isEmpty { json.field("cause", refusal.cause) }
                }
                json.field("within_ms", milliseconds: seen.first.duration(to: now))
            }
        }
        return isAnyLeft
    }
}
