import EventLoop
import Synchronization

/// HTTP to one upstream over one loop, for callers on any task.
///
/// Unchecked: everything is touched only on the loop, but for the gate. `close` must come before the loop stops, or a
/// caller would wait for a loop that is gone.
final class Transport: @unchecked Sendable {
    private let options: TransferOptions
    private let loop: EventLoop
    private let gate = Mutex(Gate())

    /// Counts who is inside. A caller is counted before the hop to the loop and until the ending: a closed gate with
    /// nobody inside stays empty.
    private struct Gate {
        var isOpen = true
        var callers = 0
    }

    private enum State {
        /// What belongs to the loop is made on the loop, with the first call.
        case new
        case open(Dispatcher)
        case draining(Dispatcher?, LoopTimer, [CheckedContinuation<Void, Never>])
        case closed
    }

    private var state = State.new

    init(_ options: TransferOptions, on loop: EventLoop) {
        self.options = options
        self.loop = loop
    }

    /// Requests under way or in line.
    var load: Int { gate.withLock { $0.callers } }

    /// Sends a request. From any thread, and at once where that is the loop's.
    /// - Parameter concluded: called once with the ending; on the loop, unless nobody is admitted any more.
    func begin(_ call: Call, concluded: @escaping Call.Conclusion) {
        let isAdmitted = gate.withLock { gate in
            if gate.isOpen { gate.callers += 1 }
            return gate.isOpen
        }
        guard isAdmitted else { return concluded(.abandoned(wasSent: false)) }
        if loop.isCurrent {
            start(call, concluded)
        } else {
            loop.execute { self.start(call, concluded) }
        }
    }

    /// Sends a request and waits for its ending. A cancelled task gets `abandoned`.
    func perform(_ request: Call.Request) async -> Ending {
        let call = Call(request)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                begin(call) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            loop.execute { self.dispatcher?.cancel(call) }
        }
    }

    private var dispatcher: Dispatcher? {
        switch state {
        case .open(let dispatcher): dispatcher
        case .draining(let dispatcher, _, _): dispatcher
        case .new, .closed: nil
        }
    }

    private func start(_ call: Call, _ concluded: @escaping Call.Conclusion) {
        loop.preconditionIsCurrent()
        do throws(CurlError) {
            if case .new = state { state = .open(try makeDispatcher()) }
            if let dispatcher { return dispatcher.begin(call, concluded) }
            concluded(.abandoned(wasSent: false))
        } catch {
            concluded(.failed(TransferFailure(.internalFault, error.description)))
        }
        leave()
    }

    private func makeDispatcher() throws(CurlError) -> Dispatcher {
        // Unowned: this object owns it, and drops it on the loop, where it calls back.
        try Dispatcher(options, on: loop, concluded: { [unowned self] in leave() })
    }

    private func leave() {
        let isEmpty = gate.withLock { gate in
            gate.callers -= 1
            return gate.callers == 0 && !gate.isOpen
        }
        // In a turn of its own: the caller may be a libcurl that is still handing out what finished.
        if isEmpty { loop.execute { self.finish() } }
    }

    // MARK: The end

    /// Admits nobody from now on, gives those inside the grace, abandons the rest. Returns when everything is freed.
    func close(grace: Duration) async {
        gate.withLock { $0.isOpen = false }
        await withCheckedContinuation { continuation in
            loop.execute { self.drain(grace, continuation) }
        }
    }

    private func drain(_ grace: Duration, _ continuation: CheckedContinuation<Void, Never>) {
        switch state {
        case .closed: return continuation.resume()
        case .draining(let dispatcher, let timer, let closers):
            state = .draining(dispatcher, timer, closers + [continuation])
            timer.schedule(after: grace)
        case .new, .open:
            let timer = LoopTimer(loop) { [unowned self] in dispatcher?.abandonAll() }
            state = .draining(dispatcher, timer, [continuation])
            timer.schedule(after: grace)
        }
        if load == 0 { finish() }
    }

    private func finish() {
        guard load == 0, case .draining(_, let timer, let closers) = state else { return }
        timer.cancel()
        // Frees the dispatcher: nothing is under way, and this is the loop.
        state = .closed
        for closer in closers { closer.resume() }
    }

    /// For an owner that goes, perhaps without `close`; nobody is inside then.
    func dispose() {
        let wasOpen = gate.withLock { exchange(&$0.isOpen, with: false) }
        // A closed transport holds nothing any more, and its loop may have stopped.
        if wasOpen { loop.execute { self.state = .closed } }
    }
}
