import Synchronization

/// Remembers which apps are held back and what failed last, for whoever asks why something is undelivered.
package final class DeliveryConditions: DeliveryObserver {
    /// Why an app's deliveries are held back.
    package enum Hold: Sendable, Equatable {
        /// Attempts fail on end: the circuit is open.
        case open(Failure)
        /// The app's settings are wrong.
        case paused(Failure)
    }

    private let next: any DeliveryObserver
    private let holds = Mutex<[String: Hold]>([:])
    private let failures = Mutex<[String: Failure]>([:])

    /// - Parameter next: is told everything as well.
    package init(next: any DeliveryObserver) {
        self.next = next
    }

    package var held: [String: Hold] { holds.withLock { $0 } }

    package var paused: Set<String> {
        Set(held.filter { if case .paused = $0.value { true } else { false } }.keys)
    }

    /// The newest failure of an app's attempts; it may be long ago.
    package func lastFailure(of app: String) -> Failure? { failures.withLock { $0[app] } }

    package func attempted(_ record: AttemptRecord) {
        if let failure = record.attempt.outcome.failure { failures.withLock { $0[record.app] = failure } }
        next.attempted(record)
    }

    package func changed(_ app: String, to change: CircuitChange) {
        let hold: Hold? =
            switch change {
            case .opened(let failure): .open(failure)
            case .paused(let failure): .paused(failure)
            case .closed: nil
            }
        holds.withLock { $0[app] = hold }
        next.changed(app, to: change)
    }
}

extension DeliveryConditions.Hold {
    package func write(to json: inout JSONText) {
        switch self {
        case .open(let failure):
            json.field("held", "circuit_open")
            failure.write(to: &json)
        case .paused(let failure):
            json.field("held", "paused")
            failure.write(to: &json)
        }
    }
}
