import Relay

// What the upstream says goes on to logs, the outbox and waiting callers, and may quote what it was sent. No key of the
// app gets past here as it is written; an upstream that encodes it on purpose had it before we did.

extension KeyRing {
    func redact(_ answer: inout Answer) {
        redact(&answer.body)
        redact(&answer.contentType)
        redact(&answer.requestID)
    }

    /// Again, for in JSON a key can be written with escapes, and a failure is what was read.
    func redacted(_ outcome: Outcome) -> Outcome {
        switch outcome {
        case .applied, .abandoned: outcome
        case .rejected(let failure, let fields): .rejected(redacted(failure), fields)
        case .profileMissing(let failure): .profileMissing(redacted(failure))
        case .misconfigured(let failure): .misconfigured(redacted(failure))
        case .refused(let failure, let after): .refused(redacted(failure), after: after)
        case .failed(let failure, let after, let isOverload):
            .failed(redacted(failure), after: after, isOverload: isOverload)
        }
    }

    private func redacted(_ failure: Failure) -> Failure {
        var (code, message) = (failure.code, failure.message)
        redact(&code)
        redact(&message)
        return Failure(status: failure.status, code: code, message: message)
    }

    private func redact(_ text: inout String) {
        // Too short to hold a key, as most are.
        guard text.utf8.count >= Self.leastBytes else { return }
        var bytes = Array(text.utf8)
        redact(&bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }
}
