import Metrics
import Synchronization

/// Remembers which apps are held back and what failed last, for whoever asks why something is undelivered.
///
/// What is remembered is a level of the pipeline that an app has at present. With another pipeline it begins anew, and
/// what the old one still says changes nothing.
package final class DeliveryConditions: DeliveryObserver {
    /// Why an app's deliveries are held back.
    package enum Hold: Sendable, Equatable {
        /// Attempts fail on end: the circuit is open.
        case open(Failure)
        /// The app's settings are wrong.
        case paused(Failure)
        /// The configuration says `enabled: false`.
        case disabled
    }

    private struct Condition {
        let pipeline: Pipeline
        var hold: Hold?
        var lastFailure: Failure?
    }

    private let next: any DeliveryObserver
    private let conditions = Mutex<[String: Condition]>([:])
    private let disabled = Mutex<Set<String>>([])
    private let gauges = Mutex<[String: Gauge]>([:])

    /// - Parameter next: is told everything as well, but for changes of pipelines that are gone.
    package init(next: any DeliveryObserver) {
        self.next = next
    }

    /// The pipelines from now on. One that stays keeps what is known of it; those that are not named are gone.
    /// - Parameter disabled: the apps that have none because the configuration says so.
    package func adopt(_ pipelines: some Sequence<Pipeline>, disabled: Set<String> = []) {
        self.disabled.withLock { $0 = disabled }
        let gone = conditions.withLock { conditions in
            let old = conditions
            conditions = [:]
            for pipeline in pipelines {
                let known = old[pipeline.app].flatMap { $0.pipeline === pipeline ? $0 : nil }
                conditions[pipeline.app] = known ?? Condition(pipeline: pipeline)
                if known == nil { show(pipeline.app, isOpen: false) }
            }
            return old.keys.filter { conditions[$0] == nil }
        }
        for app in gone { show(app, isOpen: false) }
    }

    package var held: [String: Hold] {
        var held = conditions.withLock { $0.compactMapValues(\.hold) }
        for app in disabled.withLock({ $0 }) { held[app] = .disabled }
        return held
    }

    package func isHeld(_ app: String) -> Bool {
        conditions.withLock { $0[app]?.hold != nil } || disabled.withLock { $0.contains(app) }
    }

    /// Apps of which nothing goes out whatever happens.
    package var paused: Set<String> {
        Set(
            held.filter { _, hold in
                switch hold {
                case .paused, .disabled: true
                case .open: false
                }
            }.keys)
    }

    /// The newest failure of an app's attempts; it may be long ago.
    package func lastFailure(of app: String) -> Failure? { conditions.withLock { $0[app]?.lastFailure } }

    package func attempted(_ record: AttemptRecord) {
        if let failure = record.attempt.outcome.failure {
            _ = update(record.pipeline) { $0.lastFailure = failure }
        }
        next.attempted(record)
    }

    package func changed(_ pipeline: Pipeline, to change: CircuitChange) {
        let hold: Hold? =
            switch change {
            case .opened(let failure): .open(failure)
            case .paused(let failure): .paused(failure)
            case .closed: nil
            }
        let isPresent = update(pipeline) {
            $0.hold = hold
            show(pipeline.app, isOpen: hold != nil)
        }
        if isPresent { next.changed(pipeline, to: change) }
    }

    /// False, and nothing done, where the pipeline is not the app's any more.
    private func update(_ pipeline: Pipeline, _ change: (inout Condition) -> Void) -> Bool {
        conditions.withLock { conditions in
            guard var condition = conditions[pipeline.app], condition.pipeline === pipeline else { return false }
            change(&condition)
            conditions[pipeline.app] = condition
            return true
        }
    }

    private func show(_ app: String, isOpen: Bool) {
        let gauge = gauges.withLock { gauges in
            if let gauge = gauges[app] { return gauge }
            let gauge = Gauge(label: "patchbay_circuit_open", dimensions: [("app", app)])
            gauges[app] = gauge
            return gauge
        }
        gauge.record(isOpen ? 1 : 0)
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
        case .disabled:
            json.field("held", "disabled")
        }
    }
}
