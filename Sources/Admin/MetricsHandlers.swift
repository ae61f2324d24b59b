import CoreMetrics
import Synchronization

/// A count that only grows.
final class CountHandler: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() {
        count.store(0, ordering: .relaxed)
    }
}

/// A value that goes up and down; the last one recorded counts.
final class LevelHandler: MeterHandler, RecorderHandler {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }

    private func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (isExchanged, original) = bits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if isExchanged { return }
            old = original
        }
    }
}

/// Durations in buckets from a tenth of a millisecond to a minute.
final class HistogramHandler: TimerHandler {
    private static let bounds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    private static let nanosecondBounds = bounds.map { Int64($0 * 1e9) }

    private struct State {
        var buckets = [UInt64](repeating: 0, count: HistogramHandler.bounds.count + 1)
        var count: UInt64 = 0
        var nanoseconds: UInt64 = 0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) {
        let duration = max(duration, 0)
        let bucket = Self.nanosecondBounds.firstIndex { duration <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.buckets[bucket] += 1
            state.count += 1
            state.nanoseconds &+= UInt64(duration)
        }
    }

    func render(_ name: String, _ labels: [(String, String)], to text: inout MetricsText) {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        for (bound, count) in zip(Self.bounds + [.infinity], state.buckets) {
            total += count
            text.sample(name + "_bucket", labels + [("le", MetricsText.number(bound))], Double(total))
        }
        text.sample(name + "_sum", labels, Double(state.nanoseconds) / 1e9)
        text.sample(name + "_count", labels, Double(state.count))
    }
}
