import Relay
import Testing

@testable import RateLimit

struct GCRATests {
    /// The textbook bucket that GCRA must agree with: it holds time, and fills by one nanosecond a nanosecond.
    struct TokenBucket {
        let interval: UInt64
        let capacity: UInt64
        var level: UInt64
        var last: UInt64 = 0

        init(_ rate: Rate) {
            interval = rate.interval.nanoseconds
            capacity = interval * UInt64(rate.burst)
            level = capacity
        }

        mutating func take(at now: UInt64) -> Bool {
            level = min(capacity, level + (now - last))
            last = now
            guard level >= interval else { return false }
            level -= interval
            return true
        }
    }

    @Test(
        "it decides as a token bucket does, and lets no window exceed the burst and the rate",
        arguments: ["1000/s", "20/s burst 3", "7/s", "40000/min burst 100", "5/h burst 1", "1000000/s burst 2"],
        [1, 2, 3] as [UInt64])
    func model(text: String, seed: UInt64) throws {
        let rate = try #require(Rate(text))
        let algorithm = GCRA(rate)
        var generator = SeededGenerator(seed: seed)
        var bucket = TokenBucket(rate)
        var now: UInt64 = 0
        var arrival: UInt64 = 0
        var admissions: [UInt64] = []
        for _ in 0..<3000 {
            // Bursts, the pace itself, and silences.
            switch generator.next() % 4 {
            case 0: break
            case 1: now += generator.next() % (algorithm.interval / 2 + 1)
            case 2: now += generator.next() % (algorithm.interval * 2)
            default: now += generator.next() % 50 == 0 ? algorithm.interval * UInt64(rate.burst) : 1
            }
            let isExpected = bucket.take(at: now)
            switch algorithm.decide(arrival: arrival, at: now) {
            case .conforming(let next):
                #expect(isExpected)
                arrival = next
                admissions.append(now)
            case .excessive(let wait):
                #expect(!isExpected)
                guard case .excessive = algorithm.decide(arrival: arrival, at: now + wait - 1),
                    case .conforming = algorithm.decide(arrival: arrival, at: now + wait)
                else {
                    Issue.record("\(wait) is not the time to wait")
                    return
                }
            }
        }
        #expect(admissions.count > 100)
        var worst = 0
        for first in admissions.indices {
            for last in admissions.indices[first...].prefix(400) {
                let allowed = rate.burst + Int((admissions[last] - admissions[first]) / algorithm.interval)
                worst = max(worst, last - first + 1 - allowed)
            }
        }
        #expect(worst <= 0)
    }

    @Test("extreme times and rates saturate instead of trapping")
    func extremes() throws {
        let slow = GCRA(try #require(Rate(count: 1, per: .seconds(Int64.max), burst: Rate.mostAtOnce)))
        #expect(slow.interval == .max)
        #expect(slow.tolerance == .max)
        #expect(slow.decide(arrival: 0, at: 1) == .conforming(next: .max))
        #expect(slow.decide(arrival: .max, at: .max) == .conforming(next: .max))
    }
}

struct RateTests {
    @Test(
        "a rate is a count, a period and a burst",
        arguments: [
            ("1000/s", 1000, Duration.seconds(1), 1000), ("40000/min", 40000, .seconds(60), 40000),
            ("5/h", 5, .seconds(3600), 5), ("20/s burst 100", 20, .seconds(1), 100),
            ("1000000/s", 1_000_000, .seconds(1), 1_000_000),
        ])
    func reads(text: String, count: Int, period: Duration, burst: Int) throws {
        let rate = try #require(Rate(text))
        #expect((rate.count, rate.period, rate.burst) == (count, period, burst))
        #expect(rate.description == text)
    }

    @Test(
        "what is not a rate is none",
        arguments: [
            "", "1000", "/s", "1000/", "0/s", "-1/s", "+1/s", "1.5/s", "1000/day", "1000 / s", "1000/s burst",
            "1000/s burst 0", "1000/s bursts 5", "1000/s burst 5 more", "1000001/s", "99999999999999999999/s", "١/s",
        ])
    func refuses(text: String) {
        #expect(Rate(text) == nil)
    }

    @Test("the interval is rounded up: never more than the rate")
    func interval() throws {
        #expect(try #require(Rate("7/s")).interval == .nanoseconds(142_857_143))
        #expect(try #require(Rate("40000/min")).interval == .microseconds(1500))
        #expect(Rate(count: 1, per: .zero) == nil)
        #expect(Rate(count: 1, per: .seconds(-1)) == nil)
    }
}
