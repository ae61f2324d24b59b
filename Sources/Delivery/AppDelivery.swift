package import Relay

/// Delivers one app's patches: asks the core what to do, does it, tells the core what came of it. One per app, so that
/// one app's outage never delays another's deliveries. Lives on one loop.
package actor AppDelivery<DeliveryClock: Clock> where DeliveryClock.Instant == ContinuousClock.Instant {
    /// What it is known as to observers.
    package nonisolated let pipeline: Pipeline
    private let app: String
    private let outbox: any Outbox
    private let upstream: any Upstream
    private let answers: Answers
    private let observer: any DeliveryObserver
    private let clock: DeliveryClock
    private let time: @Sendable () -> Timestamp
    private let executor: any SerialExecutor & TaskExecutor
    private var core: DeliveryCore
    private var generator = SystemRandomNumberGenerator()
    private var alarm: (time: ContinuousClock.Instant, task: Task<Void, Never>)?
    private var isPumping = false
    private var drained: [CheckedContinuation<Void, Never>] = []

    nonisolated package var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - executor: the loop it lives on.
    ///   - time: what the outbox keeps, by the clock that it keeps its own times by; pacing and circuits go by `clock`.
    package init(
        app: String, policy: DeliveryPolicy, outbox: any Outbox, upstream: any Upstream, answers: Answers,
        observer: any DeliveryObserver, clock: DeliveryClock, time: @escaping @Sendable () -> Timestamp,
        executor: any SerialExecutor & TaskExecutor
    ) {
        self.app = app
        pipeline = Pipeline(app: app)
        self.outbox = outbox
        self.upstream = upstream
        self.answers = answers
        self.observer = observer
        self.clock = clock
        self.time = time
        self.executor = executor
        core = DeliveryCore(policy: policy, now: clock.now)
    }

    /// Something may be due. Cheap, and safe to call too often, from any thread.
    package nonisolated func wake() {
        Task(executorPreference: executor) { await self.look() }
    }

    private func look() {
        core.wake()
        pump()
    }

    /// Starts nothing more, hands back what was claimed and not begun, and returns when the last attempt in flight has
    /// ended.
    package func drain() async {
        core.drain()
        pump()
        await withCheckedContinuation { continuation in
            drained.append(continuation)
            // Here and not before: the last attempt may end while this call hops to the loop.
            announceIfDrained()
        }
    }

    private func pump() {
        // An attempt may end before it has begun, and come back here: the one that is at it goes on.
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while true {
            switch core.next(at: clock.now) {
            case .attempt(let delivery): begin(delivery)
            case .claim(let limit, let probe): claim(limit, probe)
            case .release(let deliveries):
                for delivery in deliveries { outbox.settle(delivery, as: .released) }
            case .wait(let time):
                setAlarm(at: time)
                return
            case .rest:
                return
            }
        }
    }

    // Tasks prefer the loop, so that what belongs to no actor runs there too: an attempt went to the global pool and
    // back twice.

    private func claim(_ limit: Int, _ probe: ProbeOrder?) {
        Task(executorPreference: executor) { [outbox, app, time] in
            let now = time()
            await self.claimed(await outbox.claim(limit, of: app, at: now, probe: probe), wall: now)
        }
    }

    private func claimed(_ claim: Claim, wall: Timestamp) {
        core.claimed(claim, at: clock.now, wall: wall)
        pump()
        announceIfDrained()
    }

    private func begin(_ delivery: Delivery) {
        upstream.set(delivery.patch.identifiers, of: delivery.profile, on: executor) { attempt in
            // Here already, where the attempt was made on this loop; with one there is no other.
            if self.executor.isIsolatingCurrentContext() == true {
                self.assumeIsolated { $0.end(delivery, attempt) }
            } else {
                Task(executorPreference: self.executor) { await self.end(delivery, attempt) }
            }
        }
    }

    private func end(_ delivery: Delivery, _ attempt: Attempt) {
        // What is kept for a missing profile depends on who was told. Else whoever is told may ask again at once, and
        // is to find it settled.
        let isMissing = if case .profileMissing = attempt.outcome { true } else { false }
        let verdict = core.finished(
            delivery, attempt, at: clock.now, wall: time(), told: isMissing ? tell(delivery, attempt) : [],
            using: &generator)
        outbox.settle(delivery, as: verdict.settlement)
        if !isMissing { tell(delivery, attempt) }
        observer.attempted(
            AttemptRecord(pipeline: pipeline, delivery: delivery, attempt: attempt, settlement: verdict.settlement))
        if let change = verdict.change { observer.changed(pipeline, to: change) }
        pump()
        announceIfDrained()
    }

    /// Tells the callers that wait what they would have heard from Adapty. What is tried again may still succeed while
    /// they wait; of a paused app they are told at once that it will take longer.
    /// - Returns: the requests whose callers were told.
    @discardableResult
    private func tell(_ delivery: Delivery, _ attempt: Attempt) -> [UniqueID] {
        let sent = IdentifierSet(delivery.patch)
        let (concerned, answer): ([Waiter], UpstreamAnswer?) =
            switch attempt.outcome {
            case .applied: (delivery.awaiting.filter { $0.isAnswered(byApplying: sent) }, attempt.answer)
            case .rejected(let failure, let fields):
                (
                    delivery.callers(ofRejection: FieldRejection(failure, fields)),
                    attempt.answer.flatMap { $0.isWhole ? $0 : nil } ?? FieldRejection(failure, fields).remembered
                )
            case .profileMissing: (delivery.awaiting, attempt.answer)
            case .misconfigured: (delivery.awaiting, nil)
            case .refused, .failed, .abandoned: ([], nil)
            }
        return concerned.map(\.request).filter { answers.arrived(answer, for: $0) }
    }

    private func setAlarm(at time: ContinuousClock.Instant) {
        if let alarm, alarm.time <= time { return }
        alarm?.task.cancel()
        let task = Task {
            do { try await clock.sleep(until: time, tolerance: nil) } catch { return }
            alarm = nil
            pump()
        }
        alarm = (time, task)
    }

    private func announceIfDrained() {
        guard core.isDraining, core.inFlight == 0, !core.isClaiming else { return }
        alarm?.task.cancel()
        for continuation in exchange(&drained, with: []) { continuation.resume() }
    }
}
