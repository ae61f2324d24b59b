import Relay
import Testing

@testable import RateLimit
@testable import Relay

struct RefusalTests {
    private func refusal(_ limits: Limits, after first: Int, of request: Authenticated) throws -> Refusal {
        let limiter = RateLimiter(limits, clock: ManualClock().now)
        #expect(limiter.admitted(first, of: request) == first)
        return try #require(#expect(throws: Refusal.self) { try limiter.admit(request) })
    }

    @Test(
        "429 says when to try again and which limit was met",
        arguments: [
            ("1000/s", 1000, "1", #""source";q=1000;w=1"#, #""source";r=0;t=1"#),
            ("40000/min burst 1", 1, "1", #""source";q=40000;w=60"#, #""source";r=0;t=1"#),
            ("5/h", 5, "720", #""source";q=5;w=3600"#, #""source";r=0;t=720"#),
            ("7/min burst 1", 1, "9", #""source";q=7;w=60"#, #""source";r=0;t=9"#),
            ("1/s", 1, "1", #""source";q=1;w=1"#, #""source";r=0;t=1"#),
        ])
    func fields(rate: String, burst: Int, wait: String, policy: String, standing: String) throws {
        let limits = Limits(source: Rate(rate), clientKey: nil, clientAddress: nil, profile: nil)
        let refusal = try refusal(limits, after: burst, of: .source("acme"))
        #expect(refusal.status == 429)
        #expect(refusal.code == "rate_limited")
        #expect(refusal.cause == "source")
        #expect(
            refusal.headers == [
                Field("Retry-After", wait), Field("RateLimit-Policy", policy), Field("RateLimit", standing),
            ])
    }

    @Test("of several limits each is named, and the longest wait counts")
    func several() throws {
        let limits = Limits(source: nil, clientKey: Rate("1/min"), clientAddress: Rate("1/h"), profile: nil)
        let refusal = try refusal(limits, after: 1, of: .client("ios"))
        #expect(refusal.cause == "client_key client_ip")
        #expect(refusal.message == "Too many requests. Try again in 3600 seconds.")
        #expect(
            refusal.headers == [
                Field("Retry-After", "3600"),
                Field("RateLimit-Policy", #""client_key";q=1;w=60, "client_ip";q=1;w=3600"#),
                Field("RateLimit", #""client_key";r=0;t=60, "client_ip";r=0;t=3600"#),
            ])
    }

    @Test("only limits that refuse are named")
    func one() throws {
        let limits = Limits(source: nil, clientKey: Rate("100/h"), clientAddress: Rate("1/h"), profile: nil)
        #expect(try refusal(limits, after: 1, of: .client("ios")).cause == "client_ip")
    }

    @Test("who waits as long as told is let in", arguments: ["1000/s burst 1", "7/min burst 2", "3/s", "11/h burst 4"])
    func honest(rate: String) throws {
        let clock = ManualClock()
        let limits = Limits(source: Rate(rate), clientKey: nil, clientAddress: nil, profile: nil)
        let limiter = RateLimiter(limits, clock: clock.now)
        let request = try Authenticated.source("acme")
        _ = limiter.admitted(10, of: request)
        let refusal = try #require(#expect(throws: Refusal.self) { try limiter.admit(request) })
        let wait = try #require(refusal.headers.first { $0.name == "Retry-After" }.flatMap { Int($0.value) })
        clock.advance(by: .seconds(wait))
        try limiter.admit(request)
    }
}
