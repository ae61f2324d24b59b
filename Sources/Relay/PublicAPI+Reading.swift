// What Adapty holds, asked by whoever would otherwise ask Adapty.

extension PublicAPI {
    func read(_ request: Request, through entrance: Entrance) async -> Response {
        do {
            let reading = try await intake.read(Received(request, through: entrance))
            var response = Response(reading.attempt)
            response.account.app = reading.caller.app
            response.account.caller = reading.caller.name
            response.account.profile = reading.profile
            return response
        } catch {
            return Response(error)
        }
    }
}

extension Response {
    /// Adapty's answer to somebody who asks once, as it came: status, body and content type. Where there is none, or
    /// it is about us and not about the question, it is our own fault and says when to ask again.
    fileprivate init(_ attempt: Attempt) {
        guard let answer = attempt.answer, answer.isWhole else {
            self.init(.unanswered(attempt))
            return
        }
        switch attempt.outcome {
        case .applied, .rejected, .profileMissing:
            self.init(relaying: answer)
        case .failed where answer.isJSON:
            self.init(relaying: answer)
            if status == 429 || status == 503 {
                headers.append(Field("Retry-After", String(attempt.outcome.secondsToWait)))
            }
        case .failed, .refused, .misconfigured, .abandoned:
            // A proxy's words; or 401 and 403, which are about the app's key and not about the caller's.
            self.init(.unanswered(attempt))
        }
    }

    /// What Adapty said, byte for byte.
    init(relaying answer: UpstreamAnswer) {
        self.init(status: answer.status, body: answer.body)
        if !answer.body.isEmpty, !answer.contentType.isEmpty {
            headers.append(Field("Content-Type", answer.contentType))
        }
        // Under which Adapty's own logs have it.
        if !answer.requestID.isEmpty { headers.append(Field("Request-Id", answer.requestID)) }
    }
}

extension Refusal {
    fileprivate static func unanswered(_ attempt: Attempt) -> Refusal {
        guard let failure = attempt.outcome.failure else {
            let cause = attempt.answer == nil ? "given up before it was sent" : "the upstream's answer is too long"
            return .unavailable("Adapty cannot be asked now.", retryAfter: 1, cause: cause)
        }
        if case .rejected = attempt.outcome { return .invalid(failure.message) }
        let status = failure.status.map { "\($0) " } ?? ""
        return .unavailable(
            "Adapty cannot be asked now.", retryAfter: attempt.outcome.secondsToWait,
            cause: "upstream: \(status)\(failure.code): \(failure.message)")
    }
}

extension Outcome {
    /// Until it makes sense to ask again; whole seconds, at least one.
    fileprivate var secondsToWait: Int {
        switch self {
        // As often as a paused app is probed.
        case .misconfigured: 60
        case .failed(_, let after?, _), .refused(_, let after?):
            Int(clamping: max(1, (after.milliseconds + 999) / 1000))
        case .applied, .rejected, .profileMissing, .failed, .refused, .abandoned: 5
        }
    }
}

extension UpstreamAnswer {
    fileprivate var isJSON: Bool {
        contentType.prefix { $0 != ";" }.trimmingBlanks.lowercased() == "application/json"
    }
}
