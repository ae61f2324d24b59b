package import EventLoop
package import Relay
package import TLS

/// Serves HTTP/1.1 on one socket and one loop. As many run as there are loops, and share an address and a budget.
package final class Listener: @unchecked Sendable {
    // @unchecked: everything mutable is touched only on the loop.

    let loop: EventLoop
    let responder: any Responder
    let observer: any RequestObserver
    private(set) var limits: ListenerLimits
    let budget: ListenerBudget
    /// Nil where connections are as they come.
    let tls: TLSAcceptor?
    private var clientAddress: ClientAddress
    /// Every connection reads into this one buffer: what arrived is moved on before the next has its turn, so an idle
    /// connection needs none.
    let receiveBuffer: UnsafeMutableRawBufferPointer

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
    private var answers = AnswerQueue()
    private var answersToSend = AnswerQueue()
    private var line = TurnLine<Connection>()
    /// When the line is served next; nil while nobody stands in it.
    private var service: LoopTimer?
    private var isServicePending = false
    private var random = BufferedRandom()
    private let acceptFailed: @Sendable (SystemError) -> Void

    /// Where it listens.
    package let address: SocketAddress

    /// - Parameters:
    ///   - socket: closed when the listener drains.
    ///   - budget: shared with the process's other listeners.
    ///   - tls: what connections are wrapped in; nil for none.
    ///   - acceptFailed: is told on the loop when descriptors or memory run out.
    package init(
        loop: EventLoop, socket: ListeningSocket, responder: any Responder, observer: any RequestObserver,
        limits: ListenerLimits = ListenerLimits(), budget: ListenerBudget, tls: TLSAcceptor? = nil,
        acceptFailed: @escaping @Sendable (SystemError) -> Void = { _ in }
    ) {
        self.loop = loop
        self.socket = socket
        self.responder = responder
        self.observer = observer
        self.limits = limits.asking(responder)
        receiveBuffer = .allocate(byteCount: limits.receiveBytes, alignment: 64)
        self.budget = budget
        self.tls = tls
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
            let watch = SocketWatch(loop, socket.descriptor, .read) { [self] in accept() }
            watch.resume()
            sweep = LoopTimer(loop) { [unowned self] in lookAtDeadlines() }
            retry = LoopTimer(loop) { [unowned self] in resumeAccepting() }
            service = LoopTimer(loop) { [unowned self] in serveLine() }
            state = .accepting(watch)
        }
    }

    /// Other limits from now on; a request that is being read keeps those it began with.
    package func limit(_ limits: ListenerLimits) {
        loop.execute { [self] in
            self.limits = limits.asking(responder)
            clientAddress = ClientAddress(trusted: limits.trustedProxies)
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
            for connection in connections { _ = connection.closeIfIdle() }
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
        for timer in [sweep, retry, drainTimeout, service] { timer?.cancel() }
        (sweep, retry, drainTimeout, service) = (nil, nil, nil, nil)
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Connections

    /// Takes who waits, a burst at most. True where more may wait.
    @discardableResult
    private func accept() -> Bool {
        guard let socket else { return false }
        for _ in 0..<limits.acceptBurst {
            guard budget.takeConnection() else {
                guard socket.hasWaiting else { return false }
                if makeRoom() { continue }
                pauseAccepting()
                return false
            }
            switch socket.accept() {
            case .connection(let accepted): open(accepted)
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

    private func open(_ socket: consuming ConnectedSocket) {
        var start = Connection.Start.request(nil)
        if let address = IPAddress(socket.peer) {
            if limits.proxyProtocol.contains(where: { $0.contains(address) }) {
                start = .introduction
            } else if !clientAddress.isTrusted(address) {
                guard let share = budget.takeShare(of: address) else {
                    budget.returnConnection()
                    return turnAway(socket, .perAddress)
                }
                start = .request(share)
            }
        }
        guard let connection = Connection(socket, of: self, start) else {
            if case .request(let share?) = start { budget.returnShare(share) }
            return budget.returnConnection()
        }
        connection.place = connections.count
        connections.append(connection)
        if connections.count == 1 { sweep?.schedule(after: limits.sweepInterval) }
    }

    /// Whom a PROXY header names counts like whoever comes by itself. Nil where it has as many connections as it may.
    func start(for address: IPAddress) -> Connection.Start? {
        clientAddress.isTrusted(address)
            ? .request(nil) : budget.takeShare(of: address).map { .request($0) }
    }

    /// Answers a connection that there is no room for, without a request having been read.
    private func turnAway(_ socket: consuming ConnectedSocket, _ reason: Shedding) {
        observer.shed(PeerAddress(socket.peer), reason)
        // Words would need a handshake first, which is the dearest part of a connection.
        guard tls == nil else { return }
        // What has come is taken first: a socket that is closed with bytes unread is reset, and the answer may be lost.
        _ = socket.receive(into: receiveBuffer)
        _ = turningAway().withUnsafeBytes { socket.send($0) }
        socket.finishSending()
    }

    func turningAway() -> [UInt8] {
        var text = ByteText(reserving: 512)
        Response(.tooManyConnections(retryAfter: limits.retryAfterSeconds)).write(
            to: &text, id: uniqueID(at: .now), callersID: nil, date: date(), ending: .close, hasBody: true)
        return text.bytes
    }

    /// At the limit, closes connections that ask nothing: of those who have most of them, the longest idle first. As
    /// many as are accepted in one go, so that the search is paid for by all of them. False where all are busy.
    private func makeRoom() -> Bool {
        let rested = ContinuousClock.now - limits.leastRest
        let idle = connections.filter { $0.isIdle && $0.idleSince <= rested }
            .map { (connection: $0, weight: $0.share?.count ?? 0) }
            .sorted { ($1.weight, $0.connection.idleSince) < ($0.weight, $1.connection.idleSince) }
        var hasClosed = false
        for (connection, _) in idle.prefix(limits.acceptBurst) where connection.closeIfIdle() {
            observer.shed(connection.peer, .idle)
            hasClosed = true
        }
        return hasClosed
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
        // Who has waited so long and still finds no room is told, rather than left to wait.
        if budget.isFull, socket?.hasWaiting == true, !makeRoom() {
            turnAwayWaiting()
            pauseAccepting()
        } else {
            accept()
        }
    }

    private func turnAwayWaiting() {
        for _ in 0..<limits.acceptBurst {
            guard case .connection(let accepted)? = socket?.accept() else { return }
            turnAway(accepted, .full)
        }
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

    // MARK: Answers

    /// Puts an answer in line. It is sent when the round of events is over: whoever is at the other end of many
    /// connections is then woken once, and not for every answer; waking it was the dearest part of `send`.
    func queue(_ connection: Connection, _ write: (inout ByteText) -> Void) {
        if answers.isEmpty { loop.whenRoundIsOver { [self] in sendAnswers() } }
        answers.append(of: connection, write)
        // A round may have thousands of events: the first answer does not wait for all of them.
        if answers.count >= Self.mostQueued { loop.endRound() }
    }

    private static let mostQueued = 64

    private func sendAnswers() {
        // What a peer sent ahead is answered meanwhile, into the other queue.
        swap(&answers, &answersToSend)
        answersToSend.forEach { connection, bytes in connection.sendAnswer(bytes) }
        answersToSend.removeAll()
    }

    // MARK: Turns

    /// A connection whose peer sent more ahead has its next turn when the others in line had theirs.
    func lineUp(_ connection: Connection) {
        // Where an address may have any number of connections, each stands for itself.
        let key = connection.share.map { ObjectIdentifier($0) } ?? ObjectIdentifier(connection)
        line.append(connection, of: key)
        if !isServicePending { serve(after: .zero) }
    }

    private func serve(after pause: Duration) {
        isServicePending = true
        service?.schedule(after: pause)
    }

    /// Gives turns, of one request each, for about so long as others can wait. Then the loop is everybody else's for
    /// twice as long: what is ready is looked at, and threads that wait for the processor get it.
    private func serveLine() {
        isServicePending = false
        let end = ContinuousClock.now + Self.longestService
        for turn in 1...Self.mostQueued {
            guard let connection = line.next() else { return }
            connection.takeTurn()
            if turn.isMultiple(of: 8), ContinuousClock.now >= end { break }
        }
        if !line.isEmpty { serve(after: Self.longestService * 2) }
    }

    private static let longestService = Duration.milliseconds(1)

    // MARK: What connections take from their loop

    func request(
        _ head: RequestHead, body: [UInt8], compressedBody: [UInt8]? = nil, peer: PeerAddress
    ) -> Request {
        let now = Timestamp.now
        let client = clientAddress.of(head.headers, peer: peer)
        return head.request(
            body: body, compressedBody: compressedBody, peer: client, id: uniqueID(at: now), received: now)
    }

    func uniqueID(at time: Timestamp) -> UniqueID { .v7(at: time, using: &random) }

    /// - Parameter time: of the request that is answered; nil for now.
    func date(at time: Timestamp? = nil) -> [UInt8] { dateField.text(at: time ?? .now) }
}

extension ListenerLimits {
    /// The responder knows which paths take long bodies.
    fileprivate func asking(_ responder: any Responder) -> ListenerLimits {
        var limits = self
        limits.request.takesLongBodies = { responder.takesLongBodies(at: $0) }
        return limits
    }
}
