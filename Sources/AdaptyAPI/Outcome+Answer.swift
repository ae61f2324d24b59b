import Relay

// The table of the README, "What happens to a delivery", from the upstream's side: what an answer means for a delivery.

extension Outcome {
    /// - Parameter now: what a date in `Retry-After` is measured from.
    init(_ answer: Answer, now: Timestamp) {
        let status = answer.status
        if (200..<300).contains(status) {
            self = .applied
            return
        }
        let said = ErrorAnswer(answer.body)
        let failure = Failure(answer, said)
        switch status {
        case 400..<500 where said?.isProfileMissing == true:
            self = .profileMissing(failure)
        case 300..<400, 401, 403, 404:
            // A 404 that is not Adapty's word on a profile is a wrong path, or somebody else's server.
            self = .misconfigured(failure)
        case 408, 429:
            self = .failed(failure, after: answer.retryDelay(now: now), isOverload: status == 429)
        case 400, 409, 413, 414, 422, 431:
            self = .rejected(failure)
        case 400..<500:
            // About our patch only if Adapty says so; else the words of a proxy or of somebody else's server.
            self = said == nil ? .misconfigured(failure) : .rejected(failure)
        default:
            self = .failed(failure, after: answer.retryDelay(now: now), isOverload: false)
        }
    }

    init(_ failure: TransferFailure) {
        let words = Failure(status: nil, code: failure.kind.rawValue, message: failure.message)
        switch failure.kind {
        case .badHeader:
            // The patch names somebody whom no header can name. Nothing was sent, and nothing ever could be.
            self = .rejected(words)
        case .resolveFailed, .connectFailed, .tlsFailed, .timeout, .connectionLost, .badAnswer, .internalFault:
            self = .failed(words, after: nil, isOverload: false)
        }
    }
}

extension Failure {
    fileprivate init(_ answer: Answer, _ said: ErrorAnswer?) {
        let words = said?.words.joined(separator: " ") ?? ""
        self.init(
            status: answer.status, code: said?.code ?? "http_\(answer.status)",
            message: words.isEmpty ? "HTTP \(answer.status) without a reason that could be read" : words)
    }
}

extension Answer {
    fileprivate func retryDelay(now: Timestamp) -> Duration? {
        retryAfter.flatMap { RetryAfter.delay($0, now: now) }
    }
}
