/// Adapty, as one app's deliveries see it: the URL, the key and the API version are inside.
package protocol Upstream: Sendable {
    /// One attempt to set identifiers. Never throws: whatever happened is the attempt's outcome.
    func set(_ identifiers: IntegrationIdentifiers, of profile: ProfileReference) async -> Attempt

    /// The same for who delivers thousands a second: no task, and no hop where the attempt is made on the loop of who
    /// asks.
    /// - Parameters:
    ///   - executor: of who asks; what takes a task runs there.
    ///   - ended: called once, on any thread.
    func set(
        _ identifiers: IntegrationIdentifiers, of profile: ProfileReference, on executor: any TaskExecutor,
        ended: @escaping @Sendable (Attempt) -> Void)
}

extension Upstream {
    package func set(
        _ identifiers: IntegrationIdentifiers, of profile: ProfileReference, on executor: any TaskExecutor,
        ended: @escaping @Sendable (Attempt) -> Void
    ) {
        Task(executorPreference: executor) { ended(await set(identifiers, of: profile)) }
    }
}

/// Adapty, as one app's callers that ask see it.
package protocol Reader: Sendable {
    /// One attempt to read which identifiers Adapty holds of a profile. Never throws either.
    func read(_ profile: ProfileReference) async -> Attempt
}

/// One HTTP request to Adapty and what became of it.
package struct Attempt: Sendable {
    package let outcome: Outcome
    /// The answer, where there was one.
    package let answer: UpstreamAnswer?
    package let duration: Duration
    /// It was sent, and nobody knows whether Adapty takes it: it may do so later still.
    package let isEndUnknown: Bool

    package init(outcome: Outcome, answer: UpstreamAnswer?, duration: Duration, isEndUnknown: Bool = false) {
        self.outcome = outcome
        self.answer = answer
        self.duration = duration
        self.isEndUnknown = isEndUnknown
    }
}

/// What Adapty said.
package struct UpstreamAnswer: Sendable, Equatable {
    package let status: Int
    package let contentType: String
    package let body: [UInt8]
    /// False where more came than is kept: such a body is not relayed.
    package let isWhole: Bool
    /// Adapty's own id of the request, from `Request-Id`; empty where it gave none.
    package let requestID: String

    package init(
        status: Int, contentType: String = "application/json", body: [UInt8] = [], isWhole: Bool = true,
        requestID: String = ""
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.isWhole = isWhole
        self.requestID = requestID
    }
}

/// What an attempt means for the delivery: the first column of the table in the README, "What happens to a delivery".
package enum Outcome: Sendable, Equatable {
    /// 200, 201 or 204, with nothing in it or JSON that is no error.
    case applied
    /// 400, 422 and the like, in Adapty's words: trying these values again would not help.
    case rejected(Failure, FieldRejection.Fields)
    /// The profile is not there, or not yet.
    case profileMissing(Failure)
    /// 401 and 403 in Adapty's words: the app's key is wrong, not the patch.
    case misconfigured(Failure)
    /// What Adapty does not say: a proxy's 4xx, 3xx, HTML, another 2xx. Perhaps of this delivery alone.
    case refused(Failure, after: Duration?)
    /// 408, 409, 421, 423, 425, 429, 499, 5xx, or no answer. `after` is what `Retry-After` asked for; `isOverload`
    /// tells 429 from the rest.
    case failed(Failure, after: Duration?, isOverload: Bool)
    /// We gave it up ourselves: stopping, or too much in flight. Says nothing of the upstream.
    case abandoned

    /// The name under which it is logged and counted.
    package var name: String {
        switch self {
        case .applied: "applied"
        case .rejected: "rejected"
        case .profileMissing: "profile_missing"
        case .misconfigured: "misconfigured"
        case .refused: "refused"
        case .failed(_, _, isOverload: true): "throttled"
        case .failed: "failed"
        case .abandoned: "abandoned"
        }
    }

    package var failure: Failure? {
        switch self {
        case .applied, .abandoned: nil
        case .rejected(let failure, _), .profileMissing(let failure), .misconfigured(let failure),
            .refused(let failure, _), .failed(let failure, _, _):
            failure
        }
    }
}
