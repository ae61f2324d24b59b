/// Is told of every attempt and of every change of an app's circuit.
package protocol DeliveryObserver: Sendable {
    func attempted(_ record: AttemptRecord)
    func changed(_ app: String, to change: CircuitChange)
}

/// One attempt, as the log and the metrics see it.
package struct AttemptRecord: Sendable {
    package let app: String
    package let delivery: Delivery
    package let attempt: Attempt
    package let settlement: Settlement

    package init(app: String, delivery: Delivery, attempt: Attempt, settlement: Settlement) {
        self.app = app
        self.delivery = delivery
        self.attempt = attempt
        self.settlement = settlement
    }
}

/// What happened to an app's circuit.
package enum CircuitChange: Sendable, Equatable {
    /// Attempts fail on end: nothing is sent but single probes.
    case opened(Failure)
    /// The app's settings are wrong: nothing is sent but a probe a minute, until somebody mends them.
    case paused(Failure)
    /// A probe worked: everything goes on.
    case closed
}
