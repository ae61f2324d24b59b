import EventLoop
import Relay
import Synchronization
import Testing

@testable import AdaptyAPI

@Suite("The end")
struct CloseTests {
    @Test("after close nothing is sent, and every caller is told so")
    func afterClose() async throws {
        try await withAPI({ _ in [http(200)] }) { api, upstream in
            #expect(await api.set().outcome == .applied)
            await api.close(grace: .seconds(1))
            #expect(await api.set().outcome == .abandoned)
            #expect(await api.read(somebody).outcome == .abandoned)
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("close frees the connections")
    func freesConnections() async throws {
        try await withAPI(loops: 2, { _ in [.waitForRequests(8), http(200)] }) { api, upstream in
            await withTaskGroup { group in
                for _ in 0..<8 { group.addTask { _ = await api.set() } }
            }
            #expect(upstream.openConnections > 0)
            await api.close(grace: .zero)
            await until { upstream.openConnections == 0 }
        }
    }

    @Test("what is in flight ends well within the grace")
    func graceIsEnough() async throws {
        try await withAPI({ $0.number == 0 ? [.hold, http(200)] : [http(200)] }) { api, upstream in
            async let attempt = api.set()
            await until { !upstream.requests.isEmpty }
            async let closed: Void = api.close(grace: .seconds(30))
            while await api.set().outcome != .abandoned { await Task.yield() }
            upstream.release()
            #expect(await attempt.outcome == .applied)
            await closed
        }
    }

    @Test("what is in flight or in line after the grace is abandoned, each caller told once")
    func graceIsOver() async throws {
        try await withAPI(loops: 2, settings: { $0.connections = 4 }, { _ in [.hold] }) { api, upstream in
            await withTaskGroup(of: Outcome.self) { group in
                for _ in 0..<50 { group.addTask { await api.set().outcome } }
                await until { upstream.requests.count == 8 }
                await api.close(grace: .milliseconds(10))
                var outcomes: [Outcome] = []
                for await outcome in group { outcomes.append(outcome) }
                #expect(outcomes.count == 50)
                #expect(outcomes.allSatisfy { $0 == .abandoned })
            }
            #expect(upstream.requests.count == 8)
        }
    }

    @Test("callers that come while it closes are all told", .timeLimit(.minutes(1)))
    func closeRace() async throws {
        for _ in 0..<20 {
            try await withAPI(loops: 2, settings: { $0.connections = 2 }, { _ in [http(200)] }) { api, _ in
                await withTaskGroup { group in
                    for _ in 0..<4 {
                        group.addTask {
                            while true {
                                let outcome = await api.set().outcome
                                if outcome == .abandoned { return }
                                #expect(outcome == .applied)
                            }
                        }
                    }
                    group.addTask { await api.close(grace: .zero) }
                    group.addTask { await api.close(grace: .milliseconds(1)) }
                }
            }
        }
    }

    @Test("one that is dropped without close frees what it held")
    func dropped() async throws {
        let upstream = try TestUpstream { _ in [http(200)] }
        defer { upstream.stop() }
        try await withLoops { loops in
            do {
                let api = try AdaptyAPI(.init(upstream: upstream.url, secretKeys: [Secret("k")]), on: loops)
                #expect(await api.set().outcome == .applied)
            }
            await until { upstream.openConnections == 0 }
        }
    }

    @Test("a cancelled task gets its ending at once, and its connection is not used again")
    func cancellation() async throws {
        try await withAPI({ $0.number == 0 ? [.hold] : [http(200)] }) { api, upstream in
            let task = Task { await api.set() }
            await until { !upstream.requests.isEmpty }
            task.cancel()
            #expect(await task.value.outcome == .abandoned)
            #expect(await api.set().outcome == .applied)
            #expect(upstream.connections == 2)
        }
    }

    @Test("a task cancelled in line sends nothing and gives its place up")
    func cancellationInLine() async throws {
        try await withAPI(settings: { $0.connections = 1 }, { $0.number == 0 ? [.hold, http(200)] : [http(200)] }) {
            api, upstream in
            let first = Task { await api.set() }
            await until { !upstream.requests.isEmpty }
            let second = Task { await api.set() }
            let third = Task { await api.set() }
            second.cancel()
            #expect(await second.value.outcome == .abandoned)
            upstream.release()
            #expect(await first.value.outcome == .applied)
            #expect(await third.value.outcome == .applied)
            #expect(upstream.requests.count == 2)
        }
    }

    @Test("cancelling at any moment never loses or doubles an ending", .timeLimit(.minutes(1)))
    func cancellationRace() async throws {
        try await withAPI(loops: 2, settings: { $0.connections = 4 }, { _ in [http(200)] }) { api, _ in
            for round in 0..<300 {
                let tasks = (0..<8).map { _ in Task { await api.set().outcome } }
                for _ in 0..<(round % 7) { await Task.yield() }
                for task in tasks.prefix(4) { task.cancel() }
                for (number, task) in tasks.enumerated() {
                    let outcome = await task.value
                    #expect(outcome == .applied || (number < 4 && outcome == .abandoned))
                }
            }
        }
    }

    @Test("in a line that is too long nobody stands")
    func longLine() async throws {
        try await withAPI(settings: { $0.connections = 1 }, { _ in [.hold] }) { api, upstream in
            await withTaskGroup(of: Outcome.self) { group in
                let count = Dispatcher.longestLine + 100
                for _ in 0..<count { group.addTask { await api.set().outcome } }
                // Turned away at once, while the others still stand.
                for _ in 0..<99 { #expect(await group.next() == .abandoned) }
                await api.close(grace: .zero)
                await group.waitForAll()
            }
            #expect(upstream.requests.count == 1)
        }
    }
}
