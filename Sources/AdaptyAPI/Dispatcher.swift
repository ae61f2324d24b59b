import CCurl
import EventLoop

/// Gives each call a transfer, and each ended transfer the next call. Confined to one loop.
///
/// There are at most as many transfers as connections allowed, and further calls stand in line here and not in libcurl:
/// what was not sent yet can still be given up without a word to the upstream.
final class Dispatcher {
    /// Whoever comes when so many are in line is turned away: they would only wait for their deadline.
    static let longestLine = 4096

    private let options: TransferOptions
    private let multi: CurlMulti
    private let concluded: () -> Void
    private var transfers: [Transfer] = []
    /// The one used last is on top: its memory is warm, and those below may never be needed again.
    private var idle: [Transfer] = []
    private var line = CallLine()
    private let watchdog: LoopTimer
    private var isWatching = false
    private var isStopping = false

    /// Reaches this object from callbacks that are made before it.
    private final class Link {
        weak var dispatcher: Dispatcher?
    }

    /// - Parameter concluded: told once for each call, after its caller.
    init(_ options: TransferOptions, on loop: EventLoop, concluded: @escaping () -> Void) throws(CurlError) {
        self.options = options
        self.concluded = concluded
        let link = Link()
        watchdog = LoopTimer(loop) { link.dispatcher?.watch() }
        multi = try CurlMulti(on: loop, connections: options.connections) { link.dispatcher?.finish($0, $1) }
        link.dispatcher = self
    }

    // MARK: Calls

    func begin(_ call: Call, _ conclusion: @escaping Call.Conclusion) {
        guard case .new = call.state, !isStopping, line.count < Self.longestLine else {
            return conclude(call, conclusion, .abandoned(wasSent: false))
        }
        call.state = .waiting(conclusion)
        call.deadline = .now + options.deadline
        line.append(call)
        if !isWatching { keepWatching() }
        fill()
    }

    func cancel(_ call: Call) {
        switch call.state {
        case .new:
            call.state = .over
        case .waiting(let conclusion):
            conclude(call, conclusion, .abandoned(wasSent: false))
        case .running(let conclusion, let transfer):
            let wasSent = transfer.wasSent
            free(transfer)
            conclude(call, conclusion, .abandoned(wasSent: wasSent))
            fill()
        case .over:
            break
        }
    }

    func abandonAll() {
        isStopping = true
        // The line first: whoever is first in it would get the place of one that is cancelled.
        while let (call, conclusion) = line.next() { conclude(call, conclusion, .abandoned(wasSent: false)) }
        for call in transfers.compactMap(\.call) { cancel(call) }
    }

    private func conclude(_ call: Call, _ conclusion: Call.Conclusion, _ ending: Ending) {
        call.state = .over
        conclusion(ending)
        concluded()
    }

    // MARK: Transfers

    private func fill() {
        while !line.isEmpty, !idle.isEmpty || transfers.count < options.connections {
            guard let (call, conclusion) = line.next() else { return }
            do throws(TransferFailure) {
                try start(call, conclusion)
            } catch {
                conclude(call, conclusion, .failed(error))
            }
        }
    }

    private func start(_ call: Call, _ conclusion: @escaping Call.Conclusion) throws(TransferFailure) {
        let transfer: Transfer
        if let warm = idle.popLast() { transfer = warm } else { transfer = try makeTransfer() }
        do throws(TransferFailure) {
            try transfer.prepare(call.request)
        } catch {
            idle.append(transfer)
            throw error
        }
        // Before it is added: it may be finished when `add` returns.
        transfer.call = call
        call.state = .running(conclusion, transfer)
        call.deadline = .now + options.deadline
        do throws(CurlError) {
            try multi.add(transfer)
        } catch {
            transfer.call = nil
            idle.append(transfer)
            throw TransferFailure(.internalFault, error.description)
        }
    }

    private func makeTransfer() throws(TransferFailure) -> Transfer {
        do throws(CurlError) {
            let transfer = try Transfer(options, sockets: multi.watches)
            transfers.append(transfer)
            return transfer
        } catch {
            throw TransferFailure(.internalFault, error.description)
        }
    }

    private func free(_ transfer: Transfer) {
        multi.remove(transfer)
        transfer.call = nil
        idle.append(transfer)
    }

    private func finish(_ transfer: Transfer, _ code: CURLcode) {
        guard let call = transfer.call, case .running(let conclusion, _) = call.state else { return }
        let ending = transfer.ending(code)
        free(transfer)
        conclude(call, conclusion, ending)
        fill()
    }

    // MARK: The watchdog

    private func keepWatching() {
        isWatching = true
        watchdog.schedule(after: .seconds(1))
    }

    /// Once a second while there are calls. What is here is never needed, as long as libcurl and the loop do their
    /// part; a delivery that hangs for ever would keep its profile from all later ones.
    private func watch() {
        isWatching = false
        let now = ContinuousClock.now
        for call in transfers.compactMap(\.call) where call.deadline <= now {
            guard case .running(let conclusion, let transfer) = call.state else { continue }
            let wasSent = transfer.wasSent
            free(transfer)
            let words = "no end within \(options.deadline)"
            conclude(call, conclusion, .failed(TransferFailure(.timeout, words, wasSent: wasSent)))
        }
        while let (call, conclusion) = line.next(before: now) {
            conclude(call, conclusion, .abandoned(wasSent: false))
        }
        multi.poke()
        fill()
        if !line.isEmpty || idle.count < transfers.count { keepWatching() }
    }
}

/// Calls in the order in which they came. One that was cancelled stays until its turn, and is passed over.
private struct CallLine {
    private var front: [Call] = []
    private var back: [Call] = []

    var count: Int { front.count + back.count }
    var isEmpty: Bool { front.isEmpty && back.isEmpty }

    mutating func append(_ call: Call) {
        back.append(call)
    }

    /// Takes the first that still waits; with a time, only if its deadline is before that.
    mutating func next(
        before time: ContinuousClock.Instant? = nil
    ) -> (call: Call, conclusion: Call.Conclusion)? {
        while true {
            if front.isEmpty { front = exchange(&back, with: []).reversed() }
            guard let call = front.last else { return nil }
            if case .waiting(let conclusion) = call.state {
                if let time, call.deadline > time { return nil }
                front.removeLast()
                return (call, conclusion)
            }
            front.removeLast()
        }
    }
}
