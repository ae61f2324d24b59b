package import Relay

/// Turns the bytes of one connection into requests. A pure value: bytes go in, what to do comes out, nothing is
/// performed.
///
/// Strict where leniency has let a second request be smuggled in: RFC 9112 with every choice taken for refusal. Once
/// it has found a failure that ends the connection it never returns anything else. Between requests it holds no
/// memory.
package struct RequestReader: Sendable {
    /// What the bytes so far come to.
    package enum Step: Sendable {
        case needMore
        /// The sender waits to be told to send the body (`Expect: 100-continue`). Asking again means that it may come.
        case expectation(RequestHead)
        /// - `compressed`: the body as it was sent, where it had to be decoded.
        case request(RequestHead, body: [UInt8], compressed: [UInt8]?)
        case failure(Failure)
    }

    /// A request that is refused while it is read.
    package struct Failure: Sendable {
        package let refusal: Refusal
        /// Nil where not even the method was read. An answer to HEAD has no body, whatever it says.
        package let method: Method?
        /// As far as it was read; nil where not even the target was.
        package let head: RequestHead?
        /// Whether all of its fields were.
        package let isHeadWhole: Bool
        package let bodyBytes: Int
        /// The framing of what follows is not known, or not believed: the connection ends with the answer.
        package let closes: Bool
    }

    /// How far the request that comes next has got; each stage has its own deadline.
    package enum Stage: Sendable {
        case idle, head, body
    }

    private enum Phase: Sendable {
        case head(HeadParser)
        case sized(RequestHead, bytes: Int)
        case chunked(RequestHead, ChunkedBody)
        case failed
    }

    private let limits: RequestLimits
    private var phase = Phase.head(HeadParser())
    /// What was received and not yet taken: `start` and what lies behind it.
    private var pending: [UInt8] = []
    private var start = 0

    package init(limits: RequestLimits) {
        self.limits = limits
    }

    package var stage: Stage {
        switch phase {
        case .head: pending.isEmpty ? .idle : .head
        case .sized, .chunked: .body
        case .failed: .idle
        }
    }

    /// Received and not yet handed out.
    package var heldBytes: Int {
        switch phase {
        case .head, .failed: pending.count
        case .sized(let head, _): pending.count + head.bytes
        case .chunked(let head, let chunks): pending.count + head.bytes + chunks.body.count
        }
    }

    /// Whether bytes wait that `next` has not looked at, or not taken.
    package var holdsBytes: Bool { !pending.isEmpty }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            pending.removeFirst(start)
            start = 0
        }
        pending.append(contentsOf: bytes)
    }

    package mutating func next() -> Step {
        switch exchange(&phase, with: .failed) {
        case .head(let parser): readHead(parser)
        case .sized(let head, let bytes): readBody(of: head, bytes)
        case .chunked(let head, let chunks): readChunks(of: head, chunks)
        case .failed: .needMore
        }
    }

    // MARK: Phases. `phase` is `.failed` while one is looked at; each says what comes next.

    private mutating func readHead(_ parser: consuming HeadParser) -> Step {
        guard start < pending.count else {
            phase = .head(parser)
            return .needMore
        }
        do throws(Refusal) {
            guard try parser.read(pending.span.extracting(start..<pending.count), limits) else {
                phase = .head(parser)
                return .needMore
            }
        } catch {
            let bytes = pending[start...].prefix(limits.headBytes)
            return fail(error, method: parser.method, head: parser.unframed(Array(bytes)), isHeadWhole: false)
        }
        let method = parser.method
        let bytes = take(parser.length)
        let head: RequestHead
        let framing: Framing
        do throws(Refusal) {
            (head, framing) = try parser.finish(bytes, limits)
        } catch {
            return fail(error, method: method, head: parser.unframed(bytes))
        }
        switch framing {
        case .none: return finish(head, body: [])
        case .sized(let length): phase = .sized(head, bytes: length)
        case .chunked: phase = .chunked(head, ChunkedBody())
        }
        // A sender that did not wait needs no word that it may go on (RFC 9110 section 10.1.1).
        return head.expectsContinue && pending.isEmpty ? .expectation(head) : next()
    }

    private mutating func readBody(of head: RequestHead, _ length: Int) -> Step {
        guard pending.count - start >= length else {
            phase = .sized(head, bytes: length)
            return .needMore
        }
        return finish(head, body: take(length))
    }

    private mutating func readChunks(of head: RequestHead, _ chunks: consuming ChunkedBody) -> Step {
        let isComplete: Bool
        do throws(Refusal) {
            let consumed: Int
            (consumed, isComplete) = try chunks.read(
                pending.span.extracting(start..<pending.count), atMost: limits.bodyBytes(at: head.path), limits)
            drop(consumed)
        } catch {
            return fail(error, method: head.method, head: head, bodyBytes: chunks.body.count)
        }
        guard isComplete else {
            phase = .chunked(head, chunks)
            return .needMore
        }
        return finish(head, body: chunks.body)
    }

    private mutating func finish(_ head: RequestHead, body: [UInt8]) -> Step {
        phase = .head(HeadParser())
        do throws(Refusal) {
            guard try body.isCompressed(as: head.contentCoding) else {
                return .request(head, body: body, compressed: nil)
            }
            let decoded = try gunzip(body, atMost: limits.bodyBytes(at: head.path), limits)
            return .request(head, body: decoded, compressed: body)
        } catch {
            // The framing was sound, only the content is not.
            return .failure(
                Failure(
                    refusal: error, method: head.method, head: head, isHeadWhole: true, bodyBytes: body.count,
                    closes: false))
        }
    }

    private mutating func fail(
        _ refusal: Refusal, method: Method?, head: RequestHead? = nil, isHeadWhole: Bool = true, bodyBytes: Int = 0
    ) -> Step {
        phase = .failed
        drop(pending.count - start)
        return .failure(
            Failure(
                refusal: refusal, method: method, head: head, isHeadWhole: isHeadWhole, bodyBytes: bodyBytes,
                closes: true))
    }

    /// Gives up on what is half received, because its time is over or its sender gone.
    package mutating func abandon(_ refusal: Refusal) -> Failure {
        let (method, head): (Method?, RequestHead?) =
            switch exchange(&phase, with: .failed) {
            case .head(let parser): (parser.method, nil)
            case .sized(let head, _), .chunked(let head, _): (head.method, head)
            case .failed: (nil, nil)
            }
        drop(pending.count - start)
        return Failure(
            refusal: refusal, method: method, head: head, isHeadWhole: true, bodyBytes: 0, closes: true)
    }

    // MARK: Bytes

    private mutating func take(_ count: Int) -> [UInt8] {
        if start + count == pending.count {
            // The last of what is there takes its memory along.
            if start > 0 { pending.removeFirst(start) }
            start = 0
            return exchange(&pending, with: [])
        }
        let taken = Array(pending[start..<start + count])
        drop(count)
        return taken
    }

    private mutating func drop(_ count: Int) {
        start += count
        guard start == pending.count else { return }
        pending = []
        start = 0
    }
}
