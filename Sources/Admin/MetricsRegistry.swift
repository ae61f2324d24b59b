package import CoreMetrics
import Synchronization

/// Where swift-metrics keeps this process's numbers, and how Prometheus reads them.
///
/// Metrics are few and made once; recording is an atomic addition. Timers become histograms in seconds.
package final class MetricsRegistry: MetricsFactory {
    private struct Key: Hashable, Comparable {
        let name: String
        let labels: [String]

        static func < (left: Key, right: Key) -> Bool {
            (left.name, left.labels.joined(separator: "\u{0}")) < (right.name, right.labels.joined(separator: "\u{0}"))
        }
    }

    private enum Metric {
        case count(CountHandler)
        case level(LevelHandler)
        case histogram(HistogramHandler)
    }

    private let metrics = Mutex<[Key: (labels: [(String, String)], metric: Metric)]>([:])

    package init() {}

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions, CountHandler(), Metric.count) {
            if case .count(let handler) = $0 { handler } else { nil }
        }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions, LevelHandler(), Metric.level) {
            if case .level(let handler) = $0 { handler } else { nil }
        }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        find(label, dimensions, LevelHandler(), Metric.level) {
            if case .level(let handler) = $0 { handler } else { nil }
        }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions, HistogramHandler(), Metric.histogram) {
            if case .histogram(let handler) = $0 { handler } else { nil }
        }
    }

    // A metric lives as long as the process: its labels are configured names, so there is no one to forget.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// The handler of that name and labels, made if it is new. One of another kind under the same name stays uncounted.
    private func find<Handler>(
        _ name: String, _ labels: [(String, String)], _ new: @autoclosure () -> Handler,
        _ wrap: (Handler) -> Metric, _ unwrap: (Metric) -> Handler?
    ) -> Handler {
        metrics.withLock { metrics in
            let key = Key(name: name, labels: labels.map { "\($0)=\($1)" })
            if let existing = metrics[key], let handler = unwrap(existing.metric) { return handler }
            let handler = new()
            if metrics[key] == nil { metrics[key] = (labels, wrap(handler)) }
            return handler
        }
    }

    // MARK: Reading

    /// Everything in the Prometheus text format, sorted by name.
    package func render() -> String {
        var text = MetricsText()
        var last = ""
        let all = metrics.withLock { metrics in metrics.sorted { $0.key < $1.key }.map { ($0.key.name, $0.value) } }
        for (name, (labels, metric)) in all {
            switch metric {
            case .count(let handler):
                if name != last { text.head(name, .counter) }
                text.sample(name, labels, Double(handler.value))
            case .level(let handler):
                if name != last { text.head(name, .gauge) }
                text.sample(name, labels, handler.value)
            case .histogram(let handler):
                if name != last { text.head(name, .histogram) }
                handler.render(name, labels, to: &text)
            }
            last = name
        }
        return text.text
    }
}
