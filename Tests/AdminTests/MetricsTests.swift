import CoreMetrics
import Testing

@testable import Admin

@Suite("Metrics in Prometheus' text format")
struct MetricsTests {
    @Test("counters, gauges and timers are rendered with their labels, sorted, each head once")
    func renders() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "b_total", dimensions: [("x", "1")]).increment(by: 2)
        registry.makeCounter(label: "b_total", dimensions: [("x", "0")]).increment(by: 1)
        registry.makeRecorder(label: "a", dimensions: [], aggregate: false).record(1.5)
        let timer = registry.makeTimer(label: "c_seconds", dimensions: [])
        timer.recordNanoseconds(1_000_000)
        timer.recordNanoseconds(120_000_000_000)
        let lines = registry.render().split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(5) == [
                "# TYPE a gauge", "a 1.5", "# TYPE b_total counter", #"b_total{x="0"} 1"#, #"b_total{x="1"} 2"#,
            ])
        #expect(lines.contains(#"c_seconds_bucket{le="0.001"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{le="60"} 1"#))
        #expect(lines.contains(#"c_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("c_seconds_sum 120.001"))
        #expect(lines.contains("c_seconds_count 2"))
    }

    @Test("the same name and labels are the same metric")
    func isOne() {
        let registry = MetricsRegistry()
        for _ in 0..<3 { registry.makeCounter(label: "n", dimensions: [("k", "v")]).increment(by: 1) }
        #expect(registry.render().contains(#"n{k="v"} 3"#))
    }

    @Test("a label's value cannot break out of its line")
    func escapes() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "n", dimensions: [("k", "a\"b\\c\nd")]).increment(by: 1)
        #expect(registry.render().contains(#"n{k="a\"b\\c\nd"} 1"#))
    }

    @Test("a name used for two kinds keeps the first, and nothing breaks")
    func kindsDoNotMix() {
        let registry = MetricsRegistry()
        registry.makeCounter(label: "n", dimensions: []).increment(by: 1)
        registry.makeTimer(label: "n", dimensions: []).recordNanoseconds(5)
        #expect(registry.render() == "# TYPE n counter\nn 1\n")
    }

    @Test("counting from many tasks loses nothing")
    func concurrent() async {
        let registry = MetricsRegistry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        registry.makeCounter(label: "n", dimensions: []).increment(by: 1)
                        registry.makeTimer(label: "t", dimensions: []).recordNanoseconds(1)
                        registry.makeMeter(label: "m", dimensions: []).increment(by: 1)
                    }
                }
            }
        }
        let text = registry.render()
        #expect(text.contains("\nn 8000\n"))
        #expect(text.contains("t_count 8000"))
        #expect(text.contains("m 8000"))
    }
}
