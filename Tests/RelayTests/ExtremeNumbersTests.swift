import Relay
import Testing

/// Numbers come from payloads, tokens, configurations and command lines: arithmetic with them saturates or refuses.
@Suite("Numbers as large as they can be")
struct ExtremeNumbersTests {
    private static let extremes: [Int64] = [
        .min, .min + 1, -9_223_372_036_854_775, -1_000_000_000_000_000, -1, 0, 1, 999, 1000, 1_000_000_000_000_000,
        9_223_372_036_854_775, 9_223_372_036_854_776, .max - 1, .max,
    ]

    @Test("times and durations saturate, and keep their sign", arguments: extremes)
    func times(number: Int64) {
        let time = Timestamp(milliseconds: number)
        #expect(!time.description.isEmpty)
        for other in Self.extremes {
            for duration in [Duration.milliseconds(other), .seconds(other), .milliseconds(other) * 1000] {
                let (later, earlier) = (time + duration, time - duration)
                #expect(duration < .zero ? later <= time : later >= time)
                #expect(duration < .zero ? earlier >= time : earlier <= time)
            }
            let difference = time - Timestamp(milliseconds: other)
            #expect(number < other ? difference < .zero : difference >= .zero)
        }
    }

    @Test("a duration in other units has its sign, and is never more than there is", arguments: extremes)
    func units(number: Int64) {
        for duration in [Duration.milliseconds(number), .seconds(number), .seconds(number) * 10, .nanoseconds(number)] {
            for count in [duration.milliseconds, duration.microseconds] {
                #expect(duration < .zero ? count <= 0 : count >= 0)
            }
            #expect(duration < .zero ? duration.inSeconds < 0 : duration.inSeconds >= 0)
        }
        #expect(Duration.milliseconds(number).milliseconds == number)
        #expect((.zero - Duration.milliseconds(number)).milliseconds == (number == .min ? .max : -number))
    }

    @Test("a rate is what can be kept, or nothing", arguments: extremes)
    func rates(number: Int64) {
        for text in ["\(number)/s", "\(number)/h", "1/s burst \(number)", "\(number)\(number)/min"] {
            guard let rate = Rate(text) else { continue }
            #expect(rate.interval > .zero && rate.interval <= rate.period)
        }
        if let rate = Rate(count: Int(number), per: .seconds(number), burst: Int(number)) {
            #expect(rate.interval > .zero && rate.interval <= rate.period)
        }
    }
}
