package import Relay

/// Which limits there are; nil is no limit. Which of them a request meets depends on who sends it:
///
/// | limit | spent by | counts |
/// |---|---|---|
/// | `source` | `/hooks/{source}` | one configured source |
/// | `clientKey` | client and drop-in routes | one configured client key |
/// | `clientAddress` | client and drop-in routes | one IPv4 address, or one IPv6 /64: what a household or a phone has |
/// | `profile` | client and drop-in routes, once it is known whom the payload is about | one profile of one app |
/// | `failures` | whoever fails to prove itself, before the next look | an address at a source, or the client routes |
///
/// Partners are limited neither by address, because a vendor posts for everybody from a few of them, nor by profile,
/// because what they send about one profile merges into one patch; client apps are, because each stands for one user.
/// Failures are counted for each source: a vendor's wrong secret shall not lock out others that share its addresses.
/// They are not counted where only our own proxy's address is known.
package struct Limits: Sendable, Equatable {
    package var source: Rate?
    package var clientKey: Rate?
    package var clientAddress: Rate?
    package var profile: Rate?
    package var failures: Rate?

    package init(
        source: Rate?, clientKey: Rate?, clientAddress: Rate?, profile: Rate?, failures: Rate? = nil
    ) {
        self.source = source
        self.clientKey = clientKey
        self.clientAddress = clientAddress
        self.profile = profile
        self.failures = failures
    }
}

/// Keeps every sender within its limits (`Limits` says which apply to whom). A request spends from all that apply to it
/// or, if one of them refuses, from none. Refuses with 429.
package struct RateLimiter: Limiter {
    /// Each limit has a table of its own: a flood of addresses cannot push out what is known of a source.
    private let sources: Meter?
    private let clientKeys: Meter?
    private let clientAddresses: Meter?
    private let profiles: Meter?
    private let failures: Meter?
    private let start: ContinuousClock.Instant
    private let clock: @Sendable () -> ContinuousClock.Instant

    /// - Parameter capacity: how many addresses, how many profiles, and how many that failed, are told apart at once;
    ///   16 bytes each.
    package init(
        _ limits: Limits, capacity: Int = 65536,
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        // Configured names are few; this is room for all of them without one pushing out another.
        let names = 4096
        sources = limits.source.map { Meter("source", $0, capacity: names) }
        clientKeys = limits.clientKey.map { Meter("client_key", $0, capacity: names) }
        clientAddresses = limits.clientAddress.map { Meter("client_ip", $0, capacity: capacity) }
        profiles = limits.profile.map { Meter("profile", $0, capacity: capacity) }
        failures = limits.failures.map { Meter("failures_per_ip", $0, capacity: capacity) }
        self.start = clock()
        self.clock = clock
    }

    package func admit(_ authenticated: Authenticated) throws(Refusal) {
        try settle(charges(for: authenticated), isSpending: true)
    }

    package func wouldAdmit(_ authenticated: Authenticated) throws(Refusal) {
        try settle(charges(for: authenticated), isSpending: false)
    }

    package func admit(_ profile: ProfileReference, of caller: Caller) throws(Refusal) {
        guard case .client(let key) = caller, let profiles else { return }
        var hasher = Hasher()
        hasher.combine(key.app)
        hasher.combine(profile)
        try settle(Charges(Charge(meter: profiles, key: hasher.result)), isSpending: true)
    }

    package func mayProve(_ received: Received) throws(Refusal) {
        try settle(failure(of: received), isSpending: false)
    }

    package func failed(_ received: Received) {
        // One that many others push over the limit at the same moment: it has had its answer.
        try? settle(failure(of: received), isSpending: true)
    }

    private func failure(of received: Received) -> Charges {
        guard let failures, !received.request.peer.isProxy else { return Charges() }
        var hasher = Hasher()
        hasher.combine(received.request.peer.network)
        if case .hook(let source) = received.entrance { hasher.combine(source.name) }
        return Charges(Charge(meter: failures, key: hasher.result))
    }

    private func charges(for authenticated: Authenticated) -> Charges {
        switch authenticated.caller {
        case .source(let source):
            return Charges(sources?.charge(source.name))
        case .client(let key):
            return Charges(
                clientKeys?.charge(key.name), clientAddresses?.charge(authenticated.received.request.peer.network))
        }
    }

    private func settle(_ charges: Charges, isSpending: Bool) throws(Refusal) {
        guard let first = charges.first else { return }
        var excesses: [Excess] = []
        let now = start.duration(to: clock()).nanoseconds
        decide(first, charges.second, at: now, isSpending: isSpending, &excesses)
        guard excesses.isEmpty else { throw .rateLimited(excesses) }
    }

    /// Decides the first charge with its lock held while the other is decided: both of them see one moment, and nothing
    /// is written until both conform. Charges come in the order of their meters, always the same, so two requests never
    /// wait for each other.
    @discardableResult
    private func decide(
        _ charge: Charge, _ next: Charge?, at now: UInt64, isSpending: Bool, _ excesses: inout [Excess]
    ) -> Bool {
        charge.meter.arrivals.withArrival(of: charge.key, at: now) { arrival in
            let decision = charge.meter.algorithm.decide(arrival: arrival, at: now)
            if case .excessive(let wait) = decision { excesses.append(Excess(meter: charge.meter, wait: wait)) }
            let allConform =
                next.map { decide($0, nil, at: now, isSpending: isSpending, &excesses) } ?? excesses.isEmpty
            if allConform, isSpending, case .conforming(let next) = decision { arrival = next }
            return allConform
        }
    }
}

/// What one request spends from: at most two limits.
private struct Charges {
    let first: Charge?
    let second: Charge?

    init(_ first: Charge? = nil, _ second: Charge? = nil) {
        self.first = first ?? second
        self.second = first == nil ? nil : second
    }
}
