import Relay
import Synchronization
import Testing

@testable import RateLimit
@testable import Relay

@Suite("Callers that fail to prove themselves")
struct FailureTests {
    private let clock = ManualClock()
    private let looks = Looks()

    private func limiter(_ rate: String?) -> RateLimiter {
        RateLimiter(
            Limits(source: nil, clientKey: nil, clientAddress: nil, profile: nil, failures: rate.flatMap { Rate($0) }),
            clock: clock.now)
    }

    private func received(
        _ entrance: Entrance = .client(vendor: "acme"), peer: PeerAddress = PeerAddress("203.0.113.9")
    ) -> Received {
        Received(Request(method: .post, path: "/x", peer: peer), through: entrance)
    }

    private func hook(_ name: String) -> Entrance { .hook(Source(name: name, vendor: "acme", app: "main")) }

    /// The status of the answer to a wrong credential, or to the right one.
    private func status(_ received: Received, _ limiter: RateLimiter, isGenuine: Bool = false) -> Int {
        do {
            _ = try Authenticated(
                received, by: Gate(isGenuine: isGenuine, looks: looks), within: limiter)
            return 200
        } catch {
            return error.status
        }
    }

    @Test("is told 429, and not looked at again, until the rate allows another try")
    func bounded() throws {
        let limiter = limiter("60/min burst 3")
        #expect((0..<5).map { _ in status(received(), limiter) } == [401, 401, 401, 429, 429])
        #expect(looks.count == 3)
        #expect(status(received(), limiter, isGenuine: true) == 429)
        clock.advance(by: .seconds(1))
        #expect(status(received(), limiter, isGenuine: true) == 200)
        #expect(status(received(), limiter) == 401)
        #expect(status(received(), limiter) == 429)
        let refusal = try #require(#expect(throws: Refusal.self) { try limiter.mayProve(received()) })
        #expect(refusal.headers.first == Field("Retry-After", "1"))
        #expect(refusal.cause == "failures_per_ip")
    }

    @Test("success costs nothing, nor does a refusal for another reason")
    func success() {
        let limiter = limiter("1/h")
        for _ in 0..<50 { #expect(status(received(), limiter, isGenuine: true) == 200) }
        for _ in 0..<5 {
            var asked = received()
            #expect(throws: Refusal.forbidden("no")) {
                try limiter.judging(&asked) { _ throws(Refusal) in throw .forbidden("no") }
            }
        }
        #expect(status(received(), limiter) == 401)
    }

    @Test("one source's failures are not another's, nor the client routes', nor another address's")
    func apart() {
        let limiter = limiter("1/h")
        for entrance in [hook("a"), hook("b"), .client(vendor: "acme")] {
            #expect(status(received(entrance), limiter) == 401)
            #expect(status(received(entrance), limiter) == 429)
            #expect(status(received(entrance, peer: PeerAddress("203.0.113.10")), limiter) == 401)
        }
        // All client routes are one door.
        #expect(status(received(.dropIn(.v2)), limiter) == 429)
    }

    @Test("an IPv6 /64 is one address; a proxy that does not say whom it speaks for is none")
    func addresses() {
        let limiter = limiter("1/h")
        #expect(status(received(peer: PeerAddress("2001:db8::1")), limiter) == 401)
        #expect(status(received(peer: PeerAddress("2001:db8::2:1")), limiter) == 429)
        for _ in 0..<5 {
            #expect(status(received(peer: PeerAddress("10.0.0.1", isProxy: true)), limiter) == 401)
        }
    }

    @Test("there may be no such limit")
    func none() {
        let limiter = limiter(nil)
        for _ in 0..<500 { #expect(status(received(), limiter) == 401) }
    }
}

private struct Gate: Authenticator {
    let isGenuine: Bool
    let looks: Looks

    func authenticate(_ received: inout Received) throws(Refusal) -> Caller {
        looks.add()
        guard isGenuine else { throw .unauthorized(cause: "wrong") }
        return .client(ClientKey(name: "ios", app: "main", scopes: [.write]))
    }
}

/// How often a credential was looked at.
private final class Looks: Sendable {
    private let looks = Atomic<Int>(0)
    var count: Int { looks.load(ordering: .relaxed) }
    func add() { looks.add(1, ordering: .relaxed) }
}
