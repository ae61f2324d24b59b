/// Is told of every attempt and of every change of an app's circuit.
package protocol DeliveryObserver: Sendable {
    func attempted(_ record: AttemptRecord)
    func changed(_ pipeline: Pipeline, to change: CircuitChange)
}

/// One app's way from the outbox to its upstream, under one configuration. A reload that changes the app puts another
/// in its place; what the old one still says counts no more. Told from others by identity.
package final class Pipeline: Sendable {
    package let app: String

    package init(app: String) {
        self.app = app
    }
}

/// One attempt, as the log and the metrics see it.
package struct AttemptRecord: Sendable {
    package let pipeline: Pipeline
    package let delivery: Delivery
    package let attempt: Attempt
    package let settlement: Settlement

    package var app: String { pipeline.app }

    package init(pipeline: Pipeline, delivery: Delivery, attempt: Attempt, settlement: Settlement) {
        self.pipeline = pipeline
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
