import Relay
import Testing

@testable import RateLimit
@testable import Relay

struct RateLimiterTests {
    private let clock = ManualClock()

    private func limiter(_ change: (inout Limits) -> Void) -> RateLimiter {
        var limits = Limits.none
        change(&limits)
        return RateLimiter(limits, clock: clock.now)
    }

    @Test("a source gets its burst, then its rate, and another source its own")
    func source() throws {
        let limiter = limiter { $0.source = Rate("10/s burst 3") }
        let acme = try Authenticated.source("acme")
        #expect(limiter.admitted(5, of: acme) == 3)
        #expect(limiter.admitted(5, of: try .source("other")) == 3)
        clock.advance(by: .milliseconds(99))
        #expect(limiter.admitted(5, of: acme) == 0)
        clock.advance(by: .milliseconds(1))
        #expect(limiter.admitted(5, of: acme) == 1)
        clock.advance(by: .seconds(3600))
        #expect(limiter.admitted(5, of: acme) == 3)
    }

    @Test("partners are not limited by address, nor by profile")
    func partners() throws {
        let limiter = limiter {
            $0.clientKey = Rate("1/h")
            $0.clientAddress = Rate("1/h")
            $0.profile = Rate("1/h")
        }
        let acme = try Authenticated.source("acme")
        #expect(limiter.admitted(50, of: acme) == 50)
        let profile = try #require(ProfileReference.customerUserID("u"))
        for _ in 0..<50 { try limiter.admit(profile, of: acme.caller) }
    }

    @Test("clients are limited by key and by address, not by the limit of sources")
    func clients() throws {
        let limiter = limiter {
            $0.source = Rate("1/h")
            $0.clientKey = Rate("6/h")
            $0.clientAddress = Rate("4/h")
        }
        #expect(limiter.admitted(9, of: try .client("ios", peer: "192.0.2.1")) == 4)
        #expect(limiter.admitted(9, of: try .client("ios", peer: "192.0.2.2")) == 2)
        #expect(limiter.admitted(9, of: try .client("android", peer: "192.0.2.1")) == 0)
        #expect(limiter.admitted(9, of: try .client("android", peer: "192.0.2.3")) == 4)
    }

    @Test("a request that one limit refuses spends nothing from the other", arguments: [true, false])
    func allOrNone(keyIsTight: Bool) throws {
        let limiter = limiter {
            $0.clientKey = keyIsTight ? Rate("1/h") : Rate("3/h")
            $0.clientAddress = keyIsTight ? Rate("3/h") : Rate("1/h")
        }
        #expect(limiter.admitted(100, of: try .client("ios", peer: "192.0.2.1")) == 1)
        // What is left of the wide limit is untouched by the 99 refusals.
        if keyIsTight {
            let others = try ["a", "b", "c"].map { try Authenticated.client($0, peer: "192.0.2.1") }
            #expect(others.map { limiter.admitted(1, of: $0) } == [1, 1, 0])
        } else {
            let others = try ["192.0.2.2", "192.0.2.3", "192.0.2.4"].map { try Authenticated.client("ios", peer: $0) }
            #expect(others.map { limiter.admitted(1, of: $0) } == [1, 1, 0])
        }
    }

    @Test("asking whether it would come in spends nothing, and says the same")
    func wouldAdmit() throws {
        let limiter = limiter { $0.source = Rate("2/h") }
        let acme = try Authenticated.source("acme")
        for _ in 0..<10 { try limiter.wouldAdmit(acme) }
        #expect(limiter.admitted(5, of: acme) == 2)
        let asked = #expect(throws: Refusal.self) { try limiter.wouldAdmit(acme) }
        let told = #expect(throws: Refusal.self) { try limiter.admit(acme) }
        #expect(asked == told)
    }

    @Test("a profile's limit is its own in each app, and shared by the app's keys")
    func profile() throws {
        let limiter = limiter { $0.profile = Rate("2/h") }
        let one = try #require(ProfileReference.customerUserID("one"))
        let two = try #require(ProfileReference.customerUserID("two"))
        func admitted(_ profile: ProfileReference, _ key: String, app: String) throws -> Int {
            let caller = try Authenticated.client(key, app: app).caller
            return (0..<4).count { _ in (try? limiter.admit(profile, of: caller)) != nil }
        }
        #expect(try admitted(one, "ios", app: "main") == 2)
        #expect(try admitted(one, "android", app: "main") == 0)
        #expect(try admitted(two, "ios", app: "main") == 2)
        #expect(try admitted(one, "ios", app: "other") == 2)
    }

    @Test("without limits everything comes in")
    func unlimited() throws {
        let limiter = limiter { _ in }
        #expect(limiter.admitted(1000, of: try .source("acme")) == 1000)
        #expect(limiter.admitted(1000, of: try .client("ios")) == 1000)
    }

    @Test("an IPv6 subscriber is one /64, however many addresses it makes up")
    func ipv6() throws {
        let limiter = limiter { $0.clientAddress = Rate("2/h") }
        let addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::9", "2001:db8::"]
        let admitted = try addresses.map { limiter.admitted(1, of: try .client("ios", peer: $0)) }
        #expect(admitted == [1, 1, 0, 0])
        #expect(limiter.admitted(3, of: try .client("ios", peer: "2001:db8:0:1::1")) == 2)
    }

    @Test("threads that race get no more than one would")
    func concurrency() async throws {
        let limiter = limiter {
            $0.clientKey = Rate("1000/h")
            $0.clientAddress = Rate("150/h")
        }
        let admitted = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for worker in 0..<8 {
                group.addTask {
                    let address = worker % 4
                    let request = try Authenticated.client("ios", peer: "192.0.2.\(address)")
                    return (address, limiter.admitted(500, of: request))
                }
            }
            return try await group.reduce(into: [Int: Int]()) { $0[$1.0, default: 0] += $1.1 }
        }
        #expect(admitted == [0: 150, 1: 150, 2: 150, 3: 150])
        // 600 of the key's thousand are gone, and not one more.
        var left = 0
        for address in 10..<20 {
            left += limiter.admitted(100, of: try .client("ios", peer: "192.0.2.\(address)"))
        }
        #expect(left == 400)
    }
}

struct NetworkTests {
    @Test(
        "an IPv6 address counts by its first 64 bits, however it is written",
        arguments: [
            ("2001:db8::1", 0x2001_0db8_0000_0000), ("2001:db8:1:2:3:4:5:6", 0x2001_0db8_0001_0002),
            ("2001:db8:1:2::", 0x2001_0db8_0001_0002), ("::1", 0), ("::", 0), ("1::2:3:4:5:6:7", 0x0001_0000_0002_0003),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004), ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004),
            ("fe80::1", 0xfe80_0000_0000_0000), ("2001:DB8::1", 0x2001_0db8_0000_0000),
            ("64:ff9b::192.0.2.1", 0x0064_ff9b_0000_0000),
        ] as [(String, UInt64)])
    func prefix(text: String, prefix: UInt64) {
        #expect(PeerAddress(text).network == .ipv6(prefix))
    }

    @Test(
        "other text counts as itself",
        arguments: ["192.0.2.1", "unknown", "", "1:2:3", "1:2:3:4:5:6:7:8:9", "12345::1", "xyz::1"])
    func other(text: String) {
        #expect(PeerAddress(text).network == .other(text))
    }
}
