import Relay

// The table of the README, "What happens to a delivery", from the upstream's side: what an answer means for a delivery.

extension Outcome {
    /// - Parameter now: what a date in `Retry-After` is measured from.
    init(_ answer: Answer, now: Timestamp) {
        let status = answer.status
        if [200, 201, 204].contains(status), SuccessBody.isSuccess(answer) {
            self = .applied
            return
        }
        let said = ErrorAnswer(answer.body)
        // Only Adapty's words are about the patch or the key; anybody in between can say a status.
        let adapty = said.flatMap { $0.isAdaptys ? $0 : nil }
        let failure = Failure(answer, said)
        let delay = answer.retryDelay(now: now)
        switch status {
        case 408, 409, 421, 423, 425, 429, 499:
            self = .failed(failure, after: delay, isOverload: status == 429)
        case 400..<500 where adapty?.isProfileMissing == true:
            self = .profileMissing(failure)
        case 401, 403:
            self = adapty == nil ? .refused(failure, after: delay) : .misconfigured(failure)
        // Of the path, the method, the account: other values would fare no better.
        case 402, 404, 405, 406, 407, 410, 415:
            self = .refused(failure, after: delay)
        case 400..<500:
            self = adapty.map { .rejected(failure, $0.fields) } ?? .refused(failure, after: delay)
        case 200..<400:
            self = .refused(failure, after: delay)
        default:
            self = .failed(failure, after: delay, isOverload: false)
        }
    }

    init(_ failure: TransferFailure) {
        let words = Failure(status: nil, code: failure.kind.rawValue, message: failure.message)
        switch failure.kind {
        case .badHeader:
            // The patch names somebody whom no header can name. Nothing was sent, and nothing ever could be.
            self = .rejected(words, .all)
        case .resolveFailed, .connectFailed, .tlsFailed, .timeout, .connectionLost, .badAnswer, .internalFault:
            self = .failed(words, after: nil, isOverload: false)
        }
    }
}

extension Failure {
    fileprivate init(_ answer: Answer, _ said: ErrorAnswer?) {
        let words = said?.words.joined(separator: " ") ?? ""
        let type = answer.contentType.prefix { $0 != ";" }.trimmingBlanks
        let ours =
            switch answer.status {
            case 200, 201, 204:
                "HTTP \(answer.status) with what Adapty does not answer" + (type.isEmpty ? "" : ": \(type)")
            default: "HTTP \(answer.status) without a reason that could be read"
            }
        self.init(
            status: answer.status, code: said?.code ?? "http_\(answer.status)", message: words.isEmpty ? ours : words)
    }
}

extension Answer {
    /// The answer of a gateway that stopped waiting: what is behind it may still act on the request. 520 to 524 are
    /// Cloudflare's.
    var isOfGatewayThatGaveUp: Bool { [408, 499, 502, 504, 520, 522, 524].contains(status) }

    fileprivate func retryDelay(now: Timestamp) -> Duration? {
        retryAfter.flatMap { RetryAfter.delay($0, now: now) }
    }
}
