import EventLoop
import Relay

/// One accepted connection on its loop: moves bytes between the socket, the reader and the responder, one request at
/// a time.
///
/// While a request is in flight nothing more is read: a peer that sends ahead fills its socket buffer and then waits.
/// The read watch stays armed all the same and is paused only if it fires meanwhile, so that an ordinary request
/// changes no registration. What was sent ahead is read a request at a time, when the connection's turn comes.
///
/// A peer that ends its side while its request is worked on is gone, or has only stopped sending: nothing tells which.
/// It is answered for half a second longer (`hangUpDeadline`); then the connection is closed and the work is told.
///
/// The last answer of a connection is followed by a shutdown and a while of reading and ignoring (RFC 9112 section
/// 9.6): a socket closed with bytes unread is reset, and the peer may lose the answer that says what was wrong.
final class Connection: @unchecked Sendable {
    // @unchecked: touched only on the listener's loop, which its callbacks assert.

    /// What a connection begins with.
    enum Start {
        /// A PROXY header, which says who is behind it.
        case introduction
        /// A request; nil where whoever sends it may have any number of connections.
        case request(ConnectionShare?)
    }

    private enum State {
        /// The PROXY header has not come yet.
        case introducing(ProxyIntroduction)
        /// Between requests, or within one.
        case reading
        /// More was sent ahead, and others have their turn first.
        case inLine
        /// A request is with the responder.
        case answering
        /// Its answer is in the listener's queue.
        case answered(then: Next)
        /// The kernel took an answer only in part; `sent` bytes of it are out.
        case writing([UInt8], sent: Int, then: Next)
        /// The last answer is out.
        case lingering(drained: Int)
        case closed
    }

    /// What follows an answer.
    private enum Next {
        case request, linger, close
    }

    /// Where it stands among the listener's connections; the listener's alone.
    var place = 0
    /// When it will have taken too long for what it is at; nil while that is up to us.
    private(set) var deadline: ContinuousClock.Instant?

    /// Since when it has asked nothing.
    private(set) var idleSince = ContinuousClock.Instant.now
    /// Its place among those of its address.
    private(set) var share: ConnectionShare?

    private let listener: Listener
    /// Who is at the other end, or behind the proxy that is.
    private(set) var peer: PeerAddress
    private var stream: Stream?
    private var readable: SocketWatch?
    private var writable: SocketWatch?
    private var reader: RequestReader
    private var state = State.reading
    private var stage = RequestReader.Stage.idle
    /// When the first byte of the request that is being read came.
    private var began = ContinuousClock.Instant.now
    /// What this connection has counted in the listener's budget.
    private var settledBytes = 0
    private var isAdvancing = false
    /// What is at a request that is not answered at once.
    private var work: Task<Void, Never>?
    private var hasHungUp = false
    /// The peer sent more, or its end, while its request was in flight; the read watch is paused.
    private var isAhead = false
    /// It has sent more than was read at once, before it was answered: what it sent is read in its turn.
    private var sendsAhead = false

    /// Nil without memory for TLS.
    init?(_ socket: consuming ConnectedSocket, of listener: Listener, _ start: Start) {
        self.listener = listener
        switch start {
        case .introduction: state = .introducing(ProxyIntroduction())
        case .request(let share): self.share = share
        }
        peer = PeerAddress(socket.peer)
        reader = RequestReader(limits: listener.limits.request)
        let descriptor = socket.descriptor
        guard let stream = Stream(socket, listener.tls) else { return nil }
        self.stream = consume stream
        deadline = began + listener.limits.headDeadline
        // Unowned: the connection drops its watches when it closes, and with them these closures.
        let readable = SocketWatch(listener.loop, descriptor, .read) { [unowned self] in receive() }
        readable.resume()
        self.readable = readable
    }

    private var limits: ListenerLimits { listener.limits }

    // MARK: In

    /// The socket has bytes, or its end.
    private func receive() {
        switch state {
        case .reading: break
        case .introducing(let introduction): return introduce(introduction)
        case .lingering(let drained): return drain(drained)
        case .answering:
            // Another request, or the end: which of them, the deadline finds out.
            deadline = .now + limits.hangUpDeadline
            fallthrough
        case .inLine, .answered, .writing, .closed:
            readable?.pause()
            isAhead = true
            sendsAhead = true
            return
        }
        let buffer = listener.receiveBuffer
        switch stream?.receive(into: buffer) {
        case .bytes(let count):
            if stage == .idle { began = .now }
            reader.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if exchange(&sendsAhead, with: false) { goOn() } else { advance() }
        case .end where reader.stage != .idle:
            // RFC 9112 section 8: what is incomplete is not processed. It may well be sent again, whole, so that no
            // vendor is told that it was taken.
            refuse(reader.abandon(.ended), plainly: true)
        case .end, .failed: close()
        case .plainHTTP: refusePlainHTTP()
        case .alerted: linger()
        case .wouldBlock(.write): awaitRoomToRead()
        case .wouldBlock(.read), nil: break
        }
    }

    /// Behind the PROXY header everything is as on any other connection, with deadlines of its own.
    private func introduce(_ introduction: ProxyIntroduction) {
        var introduction = introduction
        switch stream?.read(&introduction, listener.receiveBuffer) {
        case .wait, nil: state = .introducing(introduction)
        case .introduced(let source):
            state = .reading
            deadline = .now + limits.headDeadline
            if case .address(let address) = source {
                peer = PeerAddress(address.description)
                stream?.isFrom(address.description)
                guard case .request(let share)? = listener.start(for: address) else {
                    listener.observer.shed(peer, .perAddress)
                    return write(listener.turningAway(), then: .linger)
                }
                self.share = share
            }
            receive()
        case .left: close()
        // The protocol's section 2: such a connection is dropped, without an answer to whoever it is.
        case .malformed:
            listener.observer.shed(peer, .proxyHeader)
            close()
        }
    }

    /// Does what the reader says until it wants more bytes, or a request is on its way to its answer.
    private func advance() {
        // An answer that comes at once returns here; the loop goes on with the next request instead of the stack.
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while case .reading = state {
            switch reader.next() {
            case .needMore: return awaitMore()
            case .expectation(let head): answerExpectation(head)
            case .request(let head, let body, let compressed): begin(head, body, compressed)
            case .failure(let failure): refuse(failure)
            }
        }
    }

    /// The others in line had their turn.
    func takeTurn() {
        guard case .inLine = state else { return }
        state = .reading
        if stage == .head {
            began = .now
            deadline = began + limits.headDeadline
        }
        advance()
    }

    /// Behind an answer, or in the middle of what was sent ahead: others have their turn before the next request.
    private func goOn() {
        guard case .reading = state, reader.stage == .head else { return advance() }
        state = .inLine
        listener.lineUp(self)
    }

    private func awaitMore() {
        if isAhead { readAgain() }
        if stage != reader.stage {
            stage = reader.stage
            switch stage {
            case .idle: break
            case .head: deadline = began + limits.headDeadline
            case .body: deadline = .now + limits.bodyDeadline
            }
        }
        guard settle(reader.heldBytes) else { return refuse(reader.abandon(.overloaded)) }
        guard stream?.holdsBytes == true else { return }
        // In a turn of its own, as if the socket had become readable: the other connections have theirs in between.
        listener.loop.execute { [weak self] in self?.receive() }
    }

    /// A handshake cannot go on before some of it is sent. The socket stays readable meanwhile.
    private func awaitRoomToRead() {
        readable?.pause()
        watchForRoom()
    }

    /// Says in plain text that TLS is spoken here.
    private func refusePlainHTTP() {
        stream = stream.take()?.withoutTLS()
        refuse(reader.abandon(.badRequest("TLS is spoken here: write https.")))
    }

    /// The peer hears that it may send its body, or a final answer that spares it.
    private func answerExpectation(_ head: RequestHead) {
        let request = listener.request(head, body: [], peer: peer)
        if let refusal = listener.responder.answerEarly(request) {
            send(refusal, to: Asked(request, head, began: began), then: .linger)
        } else {
            write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), then: .request)
        }
    }

    private func begin(_ head: RequestHead, _ body: [UInt8], _ compressed: [UInt8]?) {
        let request = listener.request(head, body: body, compressedBody: compressed, peer: peer)
        let asked = Asked(request, head, began: began)
        guard settle(reader.heldBytes + head.bytes + body.count + (compressed?.count ?? 0)) else {
            return send(listener.responder.answer(.overloaded, to: request, isWhole: true), to: asked, then: .linger)
        }
        let answer: @Sendable () async -> Response
        switch listener.responder.reply(to: request) {
        case .now(let response): return send(response, to: asked, then: .request)
        case .later(let later): answer = later
        }
        state = .answering
        deadline = nil
        // Immediate: runs here and now up to its first suspension, and on the loop after it.
        let work = Task.immediate(executorPreference: listener.loop) { [self] in
            let response = await answer()
            listener.loop.preconditionIsCurrent()
            self.work = nil
            // The connection may have gone meanwhile; the answer then has nowhere to go.
            guard case .answering = state else { return hasHungUp ? noteUnheard(response, to: asked) : () }
            state = .reading
            send(response, to: asked, then: .request)
        }
        if case .answering = state { self.work = work }
    }

    /// What was done for a peer that hung up is noted all the same, under the status that nginx gave such requests.
    private func noteUnheard(_ response: Response, to asked: Asked) {
        guard !response.isReset else { return }
        var unheard = response
        (unheard.status, unheard.body) = (499, [])
        listener.observer.answered(asked.exchange(with: unheard))
    }

    /// - Parameter plainly: in our own words, whoever asked.
    private func refuse(_ failure: RequestReader.Failure, plainly: Bool = false) {
        let head = failure.head.map { listener.request($0, body: [], peer: peer) }
        let response =
            if let head, !plainly {
                listener.responder.answer(failure.refusal, to: head, isWhole: failure.isHeadWhole)
            } else {
                Response(failure.refusal)
            }
        let asked = Asked(
            failure, peer: head?.peer ?? peer, began: began, id: head?.id ?? listener.uniqueID(at: .now))
        send(response, to: asked, then: failure.closes ? .linger : .request)
    }

    // MARK: Out

    private func send(_ response: Response, to asked: Asked, then next: Next) {
        if response.isReset { return close() }
        let next = next == .request && (asked.closes || listener.isDraining) ? Next.close : next
        let ending: Ending =
            next == .request ? (asked.isHTTP10 ? .keepAliveSpoken : .keepAlive) : .close
        var exchange = asked.exchange(with: response)
        exchange.tls = stream?.session.map { TLSUse($0) }
        listener.observer.answered(exchange)
        state = .answered(then: next)
        // Where the answer came at once the clock need not be asked again.
        let date = listener.date(at: exchange.handleDuration < .seconds(1) ? asked.received : nil)
        listener.queue(self) { text in
            response.write(
                to: &text, id: asked.id, callersID: asked.callersID, date: date, ending: ending,
                hasBody: asked.method != .head)
        }
    }

    /// The round is over.
    func sendAnswer(_ bytes: UnsafeRawBufferPointer) {
        // It may have been closed since.
        guard case .answered(let next) = state else { return }
        switch stream?.send(bytes) {
        case .bytes(let count) where count == bytes.count: finishWriting(then: next)
        case .bytes(let count): awaitRoom(Array(bytes), sent: count, then: next)
        case .wouldBlock: awaitRoom(Array(bytes), sent: 0, then: next)
        case .end, .plainHTTP, .alerted, .failed, nil: close()
        }
        goOn()
    }

    private func write(_ bytes: [UInt8], from sent: Int = 0, then next: Next) {
        let transfer = bytes.withUnsafeBytes { stream?.send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
        switch transfer {
        case .bytes(let count) where sent + count == bytes.count: finishWriting(then: next)
        case .bytes(let count): awaitRoom(bytes, sent: sent + count, then: next)
        case .wouldBlock: awaitRoom(bytes, sent: sent, then: next)
        case .end, .plainHTTP, .alerted, .failed, nil: close()
        }
    }

    private func awaitRoom(_ bytes: [UInt8], sent: Int, then next: Next) {
        state = .writing(bytes, sent: sent, then: next)
        // Held already, and soon gone: nothing is won by refusing it now.
        _ = settle(reader.heldBytes + bytes.count)
        guard writable == nil else { return }
        // Once: a peer that takes a byte at a time does not move it.
        deadline = .now + limits.writeDeadline
        watchForRoom()
    }

    private func watchForRoom() {
        guard writable == nil, let descriptor = stream?.descriptor else { return }
        let watch = SocketWatch(listener.loop, descriptor, .write) { [unowned self] in roomCame() }
        watch.resume()
        writable = watch
    }

    private func roomCame() {
        guard case .writing(let bytes, let sent, let next) = state else {
            stopWatchingForRoom()
            readAgain()
            return receive()
        }
        state = .reading
        write(bytes, from: sent, then: next)
        goOn()
    }

    private func stopWatchingForRoom() {
        writable?.cancel()
        writable = nil
    }

    private func finishWriting(then next: Next) {
        stopWatchingForRoom()
        switch next {
        case .request:
            awaitRequest()
            // It began to drain while the answer was on its way out.
            if listener.isDraining { _ = closeIfIdle() }
        case .linger: linger()
        // With nothing left to read there is nothing to be reset for.
        case .close: reader.holdsBytes || isAhead ? linger() : close()
        }
    }

    private func awaitRequest() {
        state = .reading
        stage = reader.stage
        switch stage {
        case .idle:
            idleSince = .now
            deadline = idleSince + limits.idleDeadline
        case .head:
            began = .now
            deadline = began + limits.headDeadline
        // It was told to send its body.
        case .body:
            deadline = .now + limits.bodyDeadline
        }
        // What was sent ahead is read first.
        if stage == .idle { readAgain() }
        _ = settle(reader.heldBytes)
    }

    private func readAgain() {
        isAhead = false
        readable?.resume()
    }

    // MARK: Ends

    private func linger() {
        stream?.finishSending()
        state = .lingering(drained: 0)
        deadline = .now + limits.lingerDeadline
        reader = RequestReader(limits: limits.request)
        _ = settle(0)
        readAgain()
    }

    private func drain(_ drained: Int) {
        switch stream?.discard(into: listener.receiveBuffer) {
        case .bytes(let count) where drained + count < limits.lingerBytes: state = .lingering(drained: drained + count)
        case .wouldBlock: break
        case .bytes, .end, .plainHTTP, .alerted, .failed, nil: close()
        }
    }

    /// The deadline has passed.
    func expire() {
        switch state {
        case .reading where stage != .idle: refuse(reader.abandon(.timeout))
        case .introducing, .reading, .writing, .lingering: close()
        case .answering where stream?.hasHungUp == true:
            hasHungUp = true
            close()
        case .answering: deadline = .now + limits.hangUpDeadline
        case .inLine, .answered, .closed: break
        }
    }

    /// Nothing has been asked that is not answered.
    var isIdle: Bool {
        switch state {
        case .introducing: true
        case .reading: reader.stage == .idle
        case .inLine, .answering, .answered, .writing, .lingering, .closed: false
        }
    }

    /// The listener drains, or wants room: closes at once where nothing has been asked. Whether it is closed.
    func closeIfIdle() -> Bool {
        guard isIdle else { return false }
        // A request may have arrived that the loop has not come to yet; its sender cannot know that we are leaving.
        receive()
        // Who is on the way to a request when we leave gets to say it.
        let isComing = listener.isDraining && stream?.isShakingHands == true
        if isIdle, !isComing { close() }
        if case .closed = state { return true }
        return false
    }

    func close() {
        listener.loop.preconditionIsCurrent()
        if case .closed = state { return }
        state = .closed
        deadline = nil
        exchange(&work, with: nil)?.cancel()
        reader = RequestReader(limits: limits.request)
        _ = settle(0)
        // Before the descriptor: libevent must not watch a number that is somebody else's by then.
        readable?.cancel()
        writable?.cancel()
        (readable, writable) = (nil, nil)
        stream = nil
        if let share = exchange(&share, with: nil) { listener.budget.returnShare(share) }
        listener.remove(self)
    }

    /// Counts what the connection holds now. False where that is more than before and all together hold too much.
    private func settle(_ bytes: Int) -> Bool {
        defer { settledBytes = bytes }
        return listener.budget.settle(bytes - settledBytes)
    }
}
