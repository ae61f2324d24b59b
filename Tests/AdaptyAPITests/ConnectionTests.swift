import EventLoop
import Glibc
import Relay
import Synchronization
import Testing

@testable import AdaptyAPI

@Suite("Connections")
struct ConnectionTests {
    @Test("many requests after one another use one connection", arguments: ["127.0.0.1", "localhost"])
    func keepAlive(host: String) async throws {
        try await withAPI(url: { "http://\(host):\($0.port)" }, { _ in [http(200)] }) { api, upstream in
            for _ in 0..<100 { #expect(await api.set().outcome == .applied) }
            #expect(upstream.requests.count == 100)
            #expect(upstream.connections == 1)
        }
    }

    @Test("an error answer keeps the connection too")
    func keepAliveAfterError() async throws {
        try await withAPI({ _ in [json(400, "validation_error")] }) { api, upstream in
            for _ in 0..<10 { #expect(await api.set().outcome.name == "rejected") }
            #expect(upstream.connections == 1)
        }
    }

    @Test("500 requests are in flight at once, and all end well", arguments: [1, 3])
    func hugeConcurrency(loops: Int) async throws {
        let count = 500
        // Nobody is answered before everybody has asked.
        try await withAPI(
            loops: loops, settings: { $0.connections = 500 }, { _ in [.waitForRequests(count), http(200)] }
        ) { api, upstream in
            let outcomes = await withTaskGroup(of: Outcome.self) { group in
                for number in 0..<count {
                    group.addTask { await api.set(user("user-\(number)")).outcome }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == count)
            #expect(outcomes.allSatisfy { $0 == .applied })
            let users = Set(upstream.requests.flatMap { $0.values(of: "adapty-customer-user-id") })
            #expect(users.count == count)
        }
    }

    @Test("no more connections than allowed; the others wait for one and are served in order")
    func connectionCap() async throws {
        try await withAPI(settings: { $0.connections = 3 }, { _ in [.pause(milliseconds: 1), http(200)] }) {
            api, upstream in
            await withTaskGroup { group in
                for _ in 0..<60 { group.addTask { #expect(await api.set().outcome == .applied) } }
            }
            #expect(upstream.requests.count == 60)
            #expect(upstream.mostOpenConnections <= 3)
        }
    }

    @Test("a thousand requests that fail at once do not nest")
    func chainOfFailures() async throws {
        let port = try closedPort()
        try await withAPI(url: { _ in "http://127.0.0.1:\(port)" }, settings: { $0.connections = 1 }, { _ in [] }) {
            api, _ in
            await withTaskGroup { group in
                for _ in 0..<1000 { group.addTask { #expect(await api.set().outcome.name == "failed") } }
            }
        }
    }

    @Test("the loops share the work")
    func severalLoops() async throws {
        try await withAPI(
            loops: 4, settings: { $0.connections = 1 }, { _ in [.waitForRequests(4), http(200)] }
        ) { api, upstream in
            await withTaskGroup { group in
                for _ in 0..<4 { group.addTask { #expect(await api.set().outcome == .applied) } }
            }
            #expect(upstream.connections == 4)
        }
    }

    @Test("a caller on the loop itself is served there")
    func callerOnLoop() async throws {
        try await withLoops { loops in
            let upstream = try TestUpstream { _ in [http(200)] }
            defer { upstream.stop() }
            let api = try AdaptyAPI(.init(upstream: upstream.url, secretKeys: [Secret("k")]), on: loops)
            let task = Task(executorPreference: loops[0]) {
                for _ in 0..<20 { #expect(await api.set().outcome == .applied) }
                return loops[0].isCurrent
            }
            #expect(await task.value)
            await api.close(grace: .zero)
        }
    }

    @Test("a connection that the upstream closes between requests is replaced, unseen")
    func closedWhileIdle() async throws {
        try await withAPI({ _ in [http(200), .close] }) { api, upstream in
            for _ in 0..<20 { #expect(await api.set().outcome == .applied) }
            #expect(upstream.requests.count == 20)
            #expect(upstream.connections == 20)
        }
    }

    @Test("a connection that the upstream closed while it was idle does not keep the loop busy")
    func idleDoesNotSpin() async throws {
        try await withLoops { loops in
            let upstream = try TestUpstream { _ in [http(200), .close] }
            defer { upstream.stop() }
            let api = try AdaptyAPI(.init(upstream: upstream.url, secretKeys: [Secret("k")]), on: loops)
            #expect(await api.set().outcome == .applied)
            await until { upstream.openConnections == 0 }
            let before = await processorTime(of: loops[0])
            usleep(200_000)
            let spent = await processorTime(of: loops[0]) - before
            #expect(spent < .milliseconds(50))
            await api.close(grace: .zero)
        }
    }

    @Test("junk on an idle connection is not taken for the next answer")
    func junkWhileIdle() async throws {
        let junk = "HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n"
        try await withAPI({ seen in
            seen.connection == 0 ? [.send("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n" + junk)] : [http(200)]
        }) { api, upstream in
            #expect(await api.set().outcome == .applied)
            #expect(await api.set().outcome == .applied)
        }
    }

    /// CPU time of a loop's thread.
    private func processorTime(of loop: EventLoop) async -> Duration {
        await withCheckedContinuation { continuation in
            loop.execute {
                var time = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                continuation.resume(returning: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
            }
        }
    }
}
