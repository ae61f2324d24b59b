import EventLoop
import Synchronization

/// One transport a loop, and the choice between them.
final class TransportPool: Sendable {
    private let transports: [Transport]
    private let turn = Atomic<UInt>(0)

    /// - Parameter loops: at least one; none is a programming error.
    init(_ options: TransferOptions, on loops: [EventLoop]) {
        precondition(!loops.isEmpty, "no loops")
        transports = loops.map { Transport(options, on: $0) }
    }

    deinit {
        for transport in transports { transport.dispose() }
    }

    /// See `Transport.begin`.
    func begin(_ request: Call.Request, concluded: @escaping Call.Conclusion) {
        next().begin(Call(request), concluded: concluded)
    }

    func perform(_ request: Call.Request) async -> Ending {
        await next().perform(request)
    }

    func close(grace: Duration) async {
        await withTaskGroup { group in
            for transport in transports {
                group.addTask { await transport.close(grace: grace) }
            }
        }
    }

    /// The one with the least to do; among equals each in turn.
    private func next() -> Transport {
        guard transports.count > 1 else { return transports[0] }
        let first = Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(transports.count))
        var best = transports[first]
        var least = best.load
        for offset in 1..<transports.count where least > 0 {
            let transport = transports[(first + offset) % transports.count]
            let load = transport.load
            if load < least { (best, least) = (transport, load) }
        }
        return best
    }
}
