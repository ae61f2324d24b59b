/// A request from a known sender that is within every limit that applies to it.
package struct Admitted: Sendable {
    package let received: Received
    package let caller: Caller

    init(_ authenticated: consuming Authenticated, by limiter: any Limiter) throws(Refusal) {
        do {
            try limiter.admit(authenticated)
        } catch {
            throw error.of(authenticated.caller)
        }
        self.received = authenticated.received
        self.caller = authenticated.caller
    }
}

/// Decides whether a request may come in now. Refuses with 429 and the time after which to try again.
package protocol Limiter: Sendable {
    /// Spends from every limit that applies, or from none.
    func admit(_ authenticated: Authenticated) throws(Refusal)
    /// The same decision without spending.
    func wouldAdmit(_ authenticated: Authenticated) throws(Refusal)
    /// Spends from the limit of one profile; asked once it is known whom a client's payload is about.
    func admit(_ profile: ProfileReference, of caller: Caller) throws(Refusal)
    /// Refuses a sender that has failed to prove itself too often of late; asked before its next credential is looked
    /// at.
    func mayProve(_ received: Received) throws(Refusal)
    /// Spends from that limit.
    func failed(_ received: Received)
}

extension Limiter {
    /// Guessing is bounded, and so is the work that wrong credentials cost.
    func judging(
        _ received: inout Received, _ prove: (inout Received) throws(Refusal) -> Caller
    ) throws(Refusal) -> Caller {
        try mayProve(received)
        do {
            return try prove(&received)
        } catch {
            if error.status == 401 { failed(received) }
            throw error
        }
    }
}
