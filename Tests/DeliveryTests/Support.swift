import Relay
import Synchronization

@testable import Delivery

/// A generator whose every run is the same. SplitMix64.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension Failure {
    static let timeout = Failure(status: nil, code: "timeout", message: "no answer")
    static let missing = Failure(status: 404, code: "profile_not_found", message: "Profile not found")
    static let refused = Failure(status: 400, code: "validation_error", message: "no")
    static let blocked = Failure(
        status: 403, code: "http_403", message: "HTTP 403 without a reason that could be read")
    static let key = Failure(status: 401, code: "unauthorized", message: "Invalid API key")
}

extension Outcome {
    static let failing = Outcome.failed(.timeout, after: nil, isOverload: false)
    static let blocked = Outcome.refused(Failure.blocked, after: nil)
    static let throttled = Outcome.failed(
        Failure(status: 429, code: "rate_limited", message: "slow down"), after: nil, isOverload: true)
}

extension Delivery {
    static func sample(
        _ user: String = "u", attempts: Int = 0, since: Timestamp = .start, failingSince: Timestamp? = nil,
        awaiting: [UniqueID] = []
    ) -> Delivery {
        let field = MergedPatch.Field(identifier: .appsflyerID, value: .text("1-2"), at: since, sequence: 1)
        guard let profile = ProfileReference.customerUserID(user) else { preconditionFailure("not a user id: \(user)") }
        return Delivery(
            app: "main", profile: profile, patch: MergedPatch([field]),
            awaiting: awaiting.map { Waiter($0, IdentifierSet(.appsflyerID)) }, attempts: attempts,
            since: since, failingSince: failingSince)
    }
}

extension Timestamp {
    static let start = Timestamp(milliseconds: 1_790_000_000_000)
}

/// A core with a clock that moves only when it is told to, driven as the shell would drive it.
struct Bench {
    static let base = ContinuousClock.now
    var core: DeliveryCore
    var elapsed = Duration.zero
    var generator = Seeded(7)

    init(_ change: (inout DeliveryPolicy) -> Void = { _ in }) {
        var policy = DeliveryPolicy()
        change(&policy)
        core = DeliveryCore(policy: policy, now: Self.base)
    }

    var now: ContinuousClock.Instant { Self.base.advanced(by: elapsed) }
    var wall: Timestamp { .start + elapsed }

    mutating func claimed(_ deliveries: [Delivery], nextDue: Timestamp? = nil, hasMore: Bool = false) {
        core.claimed(Claim(deliveries: deliveries, nextDue: nextDue, hasMore: hasMore), at: now, wall: wall)
    }

    /// Takes attempts as long as the core wants to make them; claims come to nothing.
    mutating func attempts() -> (begun: [Delivery], released: [Delivery], until: Duration?) {
        var begun: [Delivery] = []
        var released: [Delivery] = []
        while true {
            switch core.next(at: now) {
            case .attempt(let delivery): begun.append(delivery)
            case .claim: claimed([])
            case .release(let deliveries): released += deliveries
            case .wait(let time): return (begun, released, Self.base.duration(to: time))
            case .rest: return (begun, released, nil)
            }
        }
    }

    @discardableResult
    mutating func finish(
        _ delivery: Delivery, _ outcome: Outcome, told: [UniqueID] = []
    ) -> DeliveryCore.Verdict {
        finish(delivery, Attempt(outcome: outcome, answer: nil, duration: .zero), told: told)
    }

    @discardableResult
    mutating func finish(_ delivery: Delivery, _ attempt: Attempt, told: [UniqueID] = []) -> DeliveryCore.Verdict {
        core.finished(delivery, attempt, at: now, wall: wall, told: told, using: &generator)
    }
}

/// A clock that stands still until it is moved.
final class ManualClock: Clock, Sendable {
    private struct State {
        var elapsed = Duration.zero
        var sleepers: [(until: ContinuousClock.Instant, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let base = ContinuousClock.now
    private let state = Mutex(State())

    var now: ContinuousClock.Instant { base.advanced(by: state.withLock { $0.elapsed }) }
    var elapsed: Duration { state.withLock { $0.elapsed } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isPast = state.withLock { state in
                if base.advanced(by: state.elapsed) >= deadline { return true }
                state.sleepers.append((deadline, continuation))
                return false
            }
            if isPast { continuation.resume() }
        }
    }

    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.elapsed += duration
            let now = base.advanced(by: state.elapsed)
            let woken = state.sleepers.filter { $0.until <= now }
            state.sleepers.removeAll { $0.until <= now }
            return woken
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }
}
