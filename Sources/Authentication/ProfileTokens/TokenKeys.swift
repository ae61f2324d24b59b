import JWTKit
import Relay
import Synchronization

/// The keys of one issuer as they are at the moment. Read on every request, replaced as a whole when new ones are
/// fetched.
package final class TokenKeys: Sendable {
    struct Key: Sendable {
        let id: String?
        let algorithm: TokenAlgorithm
        let verifier: any JWTAlgorithm
    }

    private struct State {
        /// Nil until the first ones are there.
        var keys: [Key]?
        var schedule: RefreshSchedule?
        /// When those that are there were fetched; nil for keys from the configuration.
        var fetched: ContinuousClock.Instant?
    }

    /// How old fetched keys may become; nil for any age.
    private let mostAge: Duration?

    private let state: Mutex<State>

    /// Keys that stay as they are, from the configuration.
    package init(_ keys: [(id: String?, key: VerificationKey)]) async throws {
        mostAge = nil
        state = Mutex(State(keys: try await Self.prepare(keys), schedule: nil))
    }

    /// Keys that are fetched from time to time; none before the first `replace`.
    /// - Parameter mostAge: keys that were fetched so long ago are dropped by the next fetch that fails; by default
    ///   the last good ones stay for ever.
    package init(fetchedEvery interval: Duration, keptFor mostAge: Duration? = nil) {
        self.mostAge = mostAge
        state = Mutex(State(keys: nil, schedule: RefreshSchedule(interval: interval)))
    }

    /// Those that may have signed a token: of its algorithm, and of its key id where both have one; first those that
    /// have the very id. Nil as long as no keys are there.
    func candidates(_ algorithm: TokenAlgorithm, id: String?) -> [Key]? {
        state.withLock { state in
            guard let keys = state.keys else { return nil }
            var candidates = keys.filter { key in
                guard key.algorithm == algorithm else { return false }
                guard let id, let known = key.id else { return true }
                return known.isSameBytes(as: id)
            }
            if id != nil { candidates = candidates.filter { $0.id != nil } + candidates.filter { $0.id == nil } }
            // A new key may have been published since.
            if candidates.isEmpty { state.schedule?.noteMiss() }
            return candidates
        }
    }

    // MARK: - Refreshing

    /// Whether it is time to fetch. Whoever is told so fetches, and says what came of it.
    package func isDue(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.schedule?.isDue(at: now) ?? false }
    }

    /// Takes what was fetched instead of what was known.
    package func replace(_ keys: KeySet, at now: ContinuousClock.Instant) async throws {
        let prepared = try await Self.prepare(keys.keys)
        state.withLock { state in
            state.keys = prepared
            state.schedule?.fetched(at: now)
            state.fetched = now
        }
    }

    /// Goes on with what was known, unless that is too old.
    package func keep(at now: ContinuousClock.Instant) {
        state.withLock { state in
            state.schedule?.failed(at: now)
            if let mostAge, let fetched = state.fetched, fetched.duration(to: now) >= mostAge { state.keys = nil }
        }
    }

    private static func prepare(_ keys: [(id: String?, key: VerificationKey)]) async throws -> [Key] {
        var prepared: [Key] = []
        for (id, key) in keys {
            prepared.append(Key(id: id, algorithm: key.algorithm, verifier: try await key.makeVerifier()))
        }
        return prepared
    }
}

/// When keys are fetched: at once, then once an interval. Earlier after a failure, and after a token with a key that is
/// not known; but anybody can send such tokens, so they bring about one fetch a minute and no more.
struct RefreshSchedule: Sendable {
    static let leastGap = Duration.seconds(60)
    static let gapAfterFailure = Duration.seconds(15)

    let interval: Duration
    private var last: ContinuousClock.Instant?
    private var gap = Duration.zero

    init(interval: Duration) {
        self.interval = interval
    }

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        last.map { $0.duration(to: now) >= gap } ?? true
    }

    mutating func fetched(at now: ContinuousClock.Instant) {
        last = now
        gap = interval
    }

    mutating func failed(at now: ContinuousClock.Instant) {
        last = now
        gap = min(interval, Self.gapAfterFailure)
    }

    mutating func noteMiss() {
        gap = min(gap, Self.leastGap)
    }
}
