package import EventLoop
package import Relay

/// Serves HTTP/1.1 on one socket and one loop. As many run as there are loops, and share an address and a budget.
package final class Listener: @unchecked Sendable {
    // @unchecked: everything mutable is touched only on the loop.

    let loop: EventLoop
    let responder: any Responder
    let observer: any RequestObserver
    let limits: ListenerLimits
    let budget: ListenerBudget
    private let clientAddress: ClientAddress
    /// Every connection reads into this one buffer: what arrived is moved on before the next has its turn, so an idle
    /// connection needs none.
    let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 64)

    private enum State {
        case new
        case accepting(SocketWatch)
        /// At the limit of connections, or out of descriptors.
        case paused(SocketWatch)
        case draining([CheckedContinuation<Void, Never>])
        case drained
    }

    private var state = State.new
    private var socket: ListeningSocket?
    /// Each knows its place, so that one leaves without a search.
    private var connections: [Connection] = []
    private var sweep: LoopTimer?
    private var retry: LoopTimer?
    private var drainTimeout: LoopTimer?
    private var dateField = DateField()
    private var random = BufferedRandom()
    private let acceptFailed: @Sendable (SystemError) -> Void

    /// Where it listens.
    package let address: SocketAddress

    /// - Parameters:
    ///   - socket: closed when the listener drains.
    ///   - budget: shared with the process's other listeners.
    ///   - acceptFailed: is told on the loop when descriptors or memory run out.
    package init(
        loop: EventLoop, socket: ListeningSocket, responder: any Responder, observer: any RequestObserver,
        limits: ListenerLimits = ListenerLimits(), budget: ListenerBudget,
        acceptFailed: @escaping @Sendable (SystemError) -> Void = { _ in }
    ) {
        self.loop = loop
        self.socket = socket
        self.responder = responder
        self.observer = observer
        self.limits = limits
        self.budget = budget
        clientAddress = ClientAddress(trusted: limits.trustedProxies)
        self.acceptFailed = acceptFailed
        address = socket.address
    }

    deinit {
        receiveBuffer.deallocate()
    }

    // MARK: Life

    package func start() {
        loop.execute { [self] in
            guard case .new = state, let socket else { return }
            // Holds the listener, until it drains.
            let watch = SocketWatch(loop, socket.descriptor, .read) { [self] in _ = accept() }
            watch.resume()
            sweep = LoopTimer(loop) { [unowned self] in lookAtDeadlines() }
            retry = LoopTimer(loop) { [unowned self] in resumeAccepting() }
            state = .accepting(watch)
        }
    }

    /// Stops accepting, closes idle connections, lets the others have their answers, and returns when all are gone.
    /// - Parameter timeout: when those that are left are closed as they are.
    package func drain(timeout: Duration) async {
        await withCheckedContinuation { continuation in
            loop.execute { [self] in beginDrain(timeout, continuation) }
        }
    }

    var isDraining: Bool {
        if case .draining = state { true } else { false }
    }

    private func beginDrain(_ timeout: Duration, _ continuation: CheckedContinuation<Void, Never>) {
        switch state {
        case .new:
            finishDrain([continuation])
        case .accepting(let watch), .paused(let watch):
            // The kernel has accepted what stands in the backlog; without this it would be reset.
            while accept() {}
            watch.cancel()
            socket = nil
            state = .draining([continuation])
            let timer = LoopTimer(loop) { [unowned self] in
                for connection in connections { connection.close() }
            }
            timer.schedule(after: timeout)
            drainTimeout = timer
            for connection in connections { connection.closeIfIdle() }
            finishDrainIfEmpty()
        case .draining(let waiting):
            state = .draining(waiting + [continuation])
        case .drained:
            continuation.resume()
        }
    }

    private func finishDrainIfEmpty() {
        guard case .draining(let waiting) = state, connections.isEmpty else { return }
        finishDrain(waiting)
    }

    private func finishDrain(_ waiting: [CheckedContinuation<Void, Never>]) {
        state = .drained
        socket = nil
        for timer in [sweep, retry, drainTimeout] { timer?.cancel() }
        (sweep, retry, drainTimeout) = (nil, nil, nil)
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Connections

    /// Takes who waits, a burst at most. True where more may wait.
    @discardableResult
    private func accept() -> Bool {
        guard let socket else { return false }
        for _ in 0..<limits.acceptBurst {
            guard budget.takeConnection() else {
                pauseAccepting()
                return false
            }
            switch socket.accept() {
            case .connection(let accepted):
                let connection = Connection(accepted, of: self)
                connection.place = connections.count
                connections.append(connection)
                if connections.count == 1 { sweep?.schedule(after: limits.sweepInterval) }
            case .none:
                budget.returnConnection()
                return false
            case .exhausted(let error):
                budget.returnConnection()
                acceptFailed(error)
                pauseAccepting()
                return false
            }
        }
        return true
    }

    /// The backlog keeps who comes meanwhile. A timer looks again: room may be made by a connection of another loop.
    private func pauseAccepting() {
        guard case .accepting(let watch) = state else { return }
        watch.pause()
        state = .paused(watch)
        retry?.schedule(after: limits.acceptPause)
    }

    private func resumeAccepting() {
        guard case .paused(let watch) = state else { return }
        state = .accepting(watch)
        watch.resume()
        accept()
    }

    func remove(_ connection: Connection) {
        let last = connections.removeLast()
        if last !== connection {
            connections[connection.place] = last
            last.place = connection.place
        }
        budget.returnConnection()
        finishDrainIfEmpty()
    }

    /// One look at all connections now and then instead of a timer for each: setting and removing timers would cost
    /// every request, and nearly none ever fires.
    private func lookAtDeadlines() {
        let now = ContinuousClock.now
        for connection in connections.filter({ $0.deadline.map { $0 <= now } ?? false }) { connection.expire() }
        if !connections.isEmpty { sweep?.schedule(after: limits.sweepInterval) }
    }

    // MARK: What connections take from their loop

    func request(_ head: RequestHead, body: [UInt8], peer: PeerAddress) -> Request {
        let now = Timestamp.now
        let client = clientAddress.of(head.headers, peer: peer)
        return head.request(body: body, peer: client, id: uniqueID(at: now), received: now)
    }

    func uniqueID(at time: Timestamp) -> UniqueID { .v7(at: time, using: &random) }

    func date() -> [UInt8] { dateField.text(at: .now) }
}
