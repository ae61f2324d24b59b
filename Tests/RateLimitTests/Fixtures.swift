import Relay
import Synchronization

@testable import RateLimit
@testable import Relay

/// A clock that moves when it is told to.
final class ManualClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: @Sendable () -> ContinuousClock.Instant {
        { self.instant.withLock { $0 } }
    }

    func advance(by duration: Duration) {
        instant.withLock { $0 += duration }
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

struct Introduction: Authenticator {
    let caller: Caller

    func authenticate(_ received: inout Received) throws(Refusal) -> Caller { caller }
}

extension Authenticated {
    static func source(_ name: String, peer: String = "203.0.113.9") throws -> Authenticated {
        let source = Source(name: name, vendor: "acme", app: "main")
        return try Authenticated(
            Received(Request(method: .post, path: "/hooks/\(name)", peer: PeerAddress(peer)), through: .hook(source)),
            by: Introduction(caller: .source(source)), within: RateLimiter(.none))
    }

    static func client(_ name: String, app: String = "main", peer: String = "203.0.113.9") throws -> Authenticated {
        try Authenticated(
            Received(
                Request(method: .post, path: "/client/acme", peer: PeerAddress(peer)),
                through: .client(vendor: "acme")),
            by: Introduction(caller: .client(ClientKey(name: name, app: app, scopes: [.write]))),
            within: RateLimiter(.none))
    }
}

extension Limits {
    static let none = Limits(source: nil, clientKey: nil, clientAddress: nil, profile: nil)
}

extension RateLimiter {
    /// How many of so many equal requests come in.
    func admitted(_ count: Int, of request: Authenticated) -> Int {
        (0..<count).count { _ in (try? admit(request)) != nil }
    }
}
