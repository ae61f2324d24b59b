import Logging
import Metrics
import Synchronization

/// One log line and a few metrics per attempt, and a loud line when an app's circuit changes.
package struct DeliveryLog: DeliveryObserver {
    private struct Key: Hashable {
        let app: String
        let outcome: String
    }

    /// Most attempts are as the one before.
    private struct Attempts {
        var known: [Key: (Counter, Timer)] = [:]
        var last: (key: Key, counter: Counter, duration: Timer)?
    }

    private final class Counters: Sendable {
        let attempts = Mutex(Attempts())
    }

    private let log: any LineLog
    private let label: ProfileLabel
    private let counters = Counters()

    package init(log: any LineLog, label: @escaping ProfileLabel) {
        self.log = log
        self.label = label
    }

    package func attempted(_ record: AttemptRecord) {
        count(record)
        let isGood = record.attempt.outcome == .applied
        let level: Logger.Level = isGood ? .info : .warning
        log.write(level, "attempt") { write(record, to: &$0) }
    }

    package func changed(_ pipeline: Pipeline, to change: CircuitChange) {
        let app = pipeline.app
        switch change {
        case .closed:
            log.write(.notice, "delivery goes on") { $0.field("app", app) }
        case .opened(let failure):
            log.write(.error, "delivery stops: the upstream fails") { write(app, failure, to: &$0) }
        case .paused(let failure):
            log.write(.critical, "delivery stops: the app's settings are wrong; nothing is lost") {
                write(app, failure, to: &$0)
            }
        }
    }

    private func write(_ app: String, _ failure: Failure, to json: inout JSONText) {
        json.field("app", app)
        failure.write(to: &json)
    }

    private func write(_ record: AttemptRecord, to json: inout JSONText) {
        let (delivery, attempt) = (record.delivery, record.attempt)
        if let request = delivery.request { json.field("id", request) }
        json.field("app", record.app)
        if !delivery.origin.isEmpty { json.field("caller", delivery.origin) }
        json.profile(label(delivery.profile))
        json.field("outcome", attempt.outcome.name)
        json.field("attempt", delivery.attempts + 1)
        json.field("identifiers", delivery.patch.fields.count)
        if let answer = attempt.answer {
            json.field("status", answer.status)
            if !answer.requestID.isEmpty { json.field("upstream_request_id", answer.requestID) }
            json.field("response_bytes", answer.body.count)
        }
        if let failure = attempt.outcome.failure {
            // Adapty may quote whom we asked for; how that is shown is the configuration's choice.
            let message = failure.message.naming(delivery.profile, label)
            Failure(status: failure.status, code: failure.code, message: message).write(to: &json)
        }
        switch record.settlement {
        case .retry(let at, _, _), .missing(let at, _, _): json.field("retry_at", at)
        case .dead: json.field("dead_letter", true)
        case .rejected(_, let rejection):
            guard let refused = rejection.refused(of: IdentifierSet(delivery.patch)) else { break }
            json.field("dead_letter", true)
            json.array("rejected") { json in
                for field in delivery.patch.fields where refused.contains(field.identifier) {
                    json.element(field.identifier.name)
                }
            }
        case .applied, .released, .abandoned: break
        }
        json.field("attempt_ms", milliseconds: attempt.duration)
    }

    private func count(_ record: AttemptRecord) {
        let key = Key(app: record.app, outcome: record.attempt.outcome.name)
        let nanoseconds = record.attempt.duration.microseconds * 1000
        counters.attempts.withLock { attempts in
            if let last = attempts.last, last.key == key {
                last.counter.increment()
                return last.duration.recordNanoseconds(nanoseconds)
            }
            let (counter, duration) = attempts.known[key] ?? Self.metrics(of: key)
            attempts.known[key] = (counter, duration)
            attempts.last = (key, counter, duration)
            counter.increment()
            duration.recordNanoseconds(nanoseconds)
        }
    }

    private static func metrics(of key: Key) -> (Counter, Timer) {
        (
            Counter(label: "patchbay_attempts_total", dimensions: [("app", key.app), ("outcome", key.outcome)]),
            Timer(label: "patchbay_attempt_seconds", dimensions: [("app", key.app)])
        )
    }
}

extension Failure {
    /// Adapty's words are about the patch's fields, not their values; they are bounded where they are read.
    package func write(to json: inout JSONText) {
        json.field("error_code", code)
        json.field("error", message)
    }
}
