/// What is received becomes a receipt: known sender, within its limits, understood, durable. In that order, and never
/// another: each stage's value can be made only from the one before it.
package struct Intake: Sendable {
    let authenticator: any Authenticator
    let limiter: any Limiter
    let normalizer: any Normalizer
    let outbox: any Outbox
    let apps: [String: App]

    /// - Parameter apps: by name, every app that a caller may speak for.
    package init(
        authenticator: any Authenticator, limiter: any Limiter, normalizer: any Normalizer, outbox: any Outbox,
        apps: [String: App]
    ) {
        self.authenticator = authenticator
        self.limiter = limiter
        self.normalizer = normalizer
        self.outbox = outbox
        self.apps = apps
    }

    /// Accepts one request. Returns once everything in it is durable; throws the refusal that answers it otherwise.
    package func accept(_ received: consuming Received) async throws(Refusal) -> Receipt {
        try await understand(received).kept(in: outbox)
    }

    /// All of it that needs no waiting.
    func understand(_ received: consuming Received) throws(Refusal) -> Normalized {
        let authenticated = try Authenticated(received, by: authenticator, within: limiter)
        let admitted = try Admitted(authenticated, by: limiter)
        return try Normalized(admitted, by: normalizer, within: limiter, apps: apps)
    }

    /// Asks Adapty what it holds of a profile. Nothing is stored, and nothing tried again: who asked does that.
    package func read(_ received: Received) async throws(Refusal) -> Reading {
        let authenticated = try Authenticated(received, by: authenticator, within: limiter)
        let admitted = try Admitted(authenticated, by: limiter)
        let inquiry = try Inquiry(admitted, by: normalizer, limiter: limiter, apps: apps)
        return await Reading(inquiry)
    }

    /// Whether the body is worth sending: the stages that need only the head, asked without spending anything.
    /// RFC 9110 section 10.1.1: a final status may be sent instead of 100 (Continue).
    package func welcome(_ received: Received) throws(Refusal) {
        let authenticated = try Authenticated(head: received, by: authenticator, within: limiter)
        try limiter.wouldAdmit(authenticated)
    }
}
