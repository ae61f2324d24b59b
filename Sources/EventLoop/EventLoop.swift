import CEvent
import Glibc
import Synchronization

/// One thread, one libevent base, one executor: what is isolated to the loop runs on its thread, between its events.
///
/// An actor lives on the loop by giving it as its executor, a task by preferring it; libevent's callbacks are on it by
/// nature. So a handler is an ordinary `async` function, and state that only the loop touches needs no lock.
package final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // @unchecked: `base` is touched only on the loop's thread once it runs; everything else is immutable, atomic or
    // behind a lock.
    let base: EventBase
    private let name: String
    private let wakeup: Int32
    private let queue = Mutex(Queue())
    private let thread = Atomic<UInt>(0)
    /// Whether the thread was waited for; that can be done once.
    private let isJoined = Mutex(false)
    /// What was put off to the end of the round; touched only on the loop's thread.
    private var putOff: [() -> Void] = []

    private struct Queue {
        var work: [Work] = []
        /// The thread waits in libevent, or is about to; whoever adds work from outside has to wake it.
        var isWaiting = false
        var isStopping = false
    }

    private enum Work {
        case job(UnownedJob)
        case closure(@Sendable () -> Void)
    }

    /// Makes the base; nothing runs before `start`.
    /// - Parameter name: the thread's name, at most 15 bytes of it.
    package init(name: String) throws(SystemError) {
        self.name = name
        base = try EventBase()
        wakeup = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard wakeup >= 0 else { throw SystemError("eventfd") }
    }

    deinit {
        close(wakeup)
    }

    // MARK: Life

    package func start() throws(SystemError) {
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                // Balances passRetained in `start`: the thread keeps its loop alive.
                Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard code == 0 else {
            Unmanaged.passUnretained(self).release()
            throw SystemError("pthread_create", code: code)
        }
        thread.store(UInt(handle), ordering: .releasing)
    }

    /// Lets the work that is queued finish, ends the thread and waits for it, as does whoever stops it again. Not from
    /// the loop itself.
    package func stop() {
        let handle = thread.load(ordering: .acquiring)
        guard handle != 0 else { return }
        queue.withLock { $0.isStopping = true }
        wake()
        isJoined.withLock { isJoined in
            if !isJoined { pthread_join(pthread_t(handle), nil) }
            isJoined = true
        }
    }

    private func run() {
        thread.store(UInt(pthread_self()), ordering: .releasing)
        pthread_setname_np(pthread_self(), String(name.prefix(15)))
        let waker = SocketWatch(self, wakeup, .read) { [wakeup] in
            var count: UInt64 = 0
            _ = read(wakeup, &count, MemoryLayout.size(ofValue: count))
        }
        waker.resume()
        while turn() {}
        waker.cancel()
    }

    /// One turn: the work that was queued, taken once, then the events that are ready; behind each of the two what they
    /// put off. False when the loop shall end.
    private func turn() -> Bool {
        let work = queue.withLock { queue in
            queue.isWaiting = false
            return exchange(&queue.work, with: [])
        }
        for item in work {
            switch item {
            case .job(let job):
                job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            case .closure(let closure): closure()
            }
        }
        finishRound()
        let (isIdle, isStopping) = queue.withLock { queue in
            queue.isWaiting = queue.work.isEmpty
            return (queue.work.isEmpty, queue.isStopping)
        }
        if isStopping && isIdle { return false }
        base.dispatch(blocking: isIdle)
        finishRound()
        return true
    }

    /// Runs a closure when the round of work or events that is under way is over: what all of them left to do is then
    /// done together. On the loop only, and from within a round.
    package func whenRoundIsOver(_ closure: @escaping () -> Void) {
        putOff.append(closure)
    }

    /// Lets the round of events end with the one that is handled; those that are left are handled in the next.
    package func endRound() {
        event_base_loopbreak(base.pointer)
    }

    private func finishRound() {
        while !putOff.isEmpty {
            for closure in exchange(&putOff, with: []) { closure() }
        }
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        add(.job(UnownedJob(job)))
    }

    /// Runs a closure on the loop's thread, in the next turn.
    package func execute(_ closure: @escaping @Sendable () -> Void) {
        add(.closure(closure))
    }

    private func add(_ work: Work) {
        let isOnLoop = isCurrent
        let mustWake = queue.withLock { queue in
            queue.work.append(work)
            guard queue.isWaiting, !isOnLoop else { return false }
            queue.isWaiting = false
            return true
        }
        if mustWake { wake() }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, MemoryLayout.size(ofValue: one))
    }

    /// Whether the caller is on this loop's thread.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    package func checkIsolated() { preconditionIsCurrent() }

    /// Traps off the loop's thread: a wrong thread is a programming error that no input can reach, and going on would
    /// race. Before it is started a loop is its maker's.
    package func preconditionIsCurrent() {
        precondition(isCurrent || thread.load(ordering: .relaxed) == 0, "not on \(name)")
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}

/// The owner of an `event_base`. Both it and an `event` are opaque pointers in Swift; only types of their own keep them
/// apart.
struct EventBase: ~Copyable {
    let pointer: OpaquePointer

    init() throws(SystemError) {
        // Single-threaded: other threads wake the loop through its eventfd, so libevent needs no locks.
        guard let configuration = event_config_new() else { throw SystemError("event_config_new") }
        defer { event_config_free(configuration) }
        event_config_set_flag(configuration, Int32(EVENT_BASE_FLAG_NOLOCK.rawValue))
        guard let pointer = event_base_new_with_config(configuration) else {
            throw SystemError("event_base_new_with_config")
        }
        self.pointer = pointer
    }

    /// Runs the events that are ready; if none is and `blocking`, waits for the first.
    func dispatch(blocking: Bool) {
        event_base_loop(pointer, blocking ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK)
    }

    deinit {
        // Last: every registration keeps its loop, and with it the base, alive.
        event_base_free(pointer)
    }
}
