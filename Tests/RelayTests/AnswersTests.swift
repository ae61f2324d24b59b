import Relay
import Synchronization
import Testing

/// A clock whose sleeps end when the test says so, all at once.
private final class HeldClock: Clock, Sendable {
    private let sleepers = Mutex<[CheckedContinuation<Void, Never>]>([])
    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }
    var sleeperCount: Int { sleepers.withLock { $0.count } }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in sleepers.withLock { $0.append(continuation) } }
        } onCancel: {
            release()
        }
        try Task.checkCancellation()
    }

    func release() {
        let all = sleepers.withLock { exchange(&$0, with: []) }
        for sleeper in all { sleeper.resume() }
    }
}

@Suite("Callers that wait, and answers that arrive")
struct AnswersTests {
    private let id = UniqueID(high: 1, low: 2)
    private let said = UpstreamAnswer(status: 200)

    @Test("an answer that arrives before its caller waits is kept for it")
    func early() async {
        let answers = Answers(clock: ContinuousClock())
        answers.expect(id)
        #expect(answers.arrived(said, for: id))
        #expect(await answers.answer(to: id, of: "main", within: .seconds(30)) == said)
        #expect(!answers.arrived(said, for: id))
    }

    @Test("while an app's deliveries are held back its callers do not wait; an answer that came is theirs all the same")
    func held() async {
        let isHeld = Mutex(true)
        let answers = Answers(clock: ContinuousClock()) { app in app == "main" && isHeld.withLock { $0 } }
        answers.expect(id)
        #expect(await answers.answer(to: id, of: "main", within: .seconds(30)) == nil)
        answers.expect(id)
        #expect(answers.arrived(said, for: id))
        #expect(await answers.answer(to: id, of: "main", within: .seconds(30)) == said)
        isHeld.withLock { $0 = false }
        answers.expect(id)
        async let heard = answers.answer(to: id, of: "main", within: .seconds(30))
        while !answers.arrived(said, for: id) { await Task.yield() }
        #expect(await heard == said)
    }

    @Test("where the node stops no wait goes on for longer than it is given", .timeLimit(.minutes(1)))
    func ends() async {
        let answers = Answers(clock: ContinuousClock())
        answers.expect(id)
        async let waiting = answers.answer(to: id, of: "main", within: .seconds(3600))
        // It waits before the end is said, or finds it said.
        await Task.yield()
        answers.end(within: .milliseconds(20))
        #expect(await waiting == nil)
        #expect(!answers.arrived(said, for: id))
        let late = UniqueID(high: 1, low: 3)
        answers.expect(late)
        #expect(await answers.answer(to: late, of: "main", within: .seconds(3600)) == nil)
    }

    @Test("nobody is told who did not wait, left, or was answered already")
    func nobody() async {
        let answers = Answers(clock: ContinuousClock())
        #expect(!answers.arrived(said, for: id))
        answers.expect(id)
        answers.forget(id)
        #expect(!answers.arrived(said, for: id))
        answers.expect(id)
        #expect(await answers.answer(to: id, of: "main", within: .zero) == nil)
        #expect(!answers.arrived(said, for: id))
    }

    // Regression: an answer that arrived together with the end of the wait was taken for heard, and was not.
    @Test("told means heard: an answer counts as told exactly if the caller gets it", arguments: 1...300)
    func toldIsHeard(round: Int) async {
        let clock = HeldClock()
        let answers = Answers(clock: clock)
        answers.expect(id)
        async let heard = answers.answer(to: id, of: "main", within: .seconds(1))
        while clock.sleeperCount == 0 { await Task.yield() }
        async let released: Void = clock.release()
        for _ in 0..<(round % 4) { await Task.yield() }
        let isTold = answers.arrived(said, for: id)
        await released
        #expect(await (heard == said) == isTold)
    }

    @Test("each wait ends by itself, also one that is shorter than those before it", .timeLimit(.minutes(1)))
    func waitsEndApart() async {
        let answers = Answers(clock: ContinuousClock())
        let ids = (0..<20).map { UniqueID(high: 7, low: $0) }
        answers.expect(id)
        async let long = answers.answer(to: id, of: "main", within: .seconds(3600))
        await withTaskGroup { group in
            for id in ids {
                answers.expect(id)
                group.addTask {
                    let wait = Duration.milliseconds(id.low * 10)
                    let begin = ContinuousClock.now
                    #expect(await answers.answer(to: id, of: "main", within: wait) == nil)
                    #expect(begin.duration(to: .now) >= wait)
                    #expect(!answers.arrived(said, for: id))
                }
            }
        }
        #expect(answers.arrived(said, for: id))
        #expect(await long == said)
    }
}
