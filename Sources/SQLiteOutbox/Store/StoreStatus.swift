import Relay
import Synchronization

/// Whether the store can be written; asked from everywhere.
final class StoreStatus: Sendable {
    private enum State {
        case writable
        case failing
        /// Until the file is opened anew.
        case broken(WriteFailure)
    }

    private let state = Mutex(State.writable)
    /// Told once, when nothing more may be accepted.
    private let onBroken: @Sendable (WriteFailure) -> Void
    /// Transactions so far.
    let commits = Atomic(0)

    init(onBroken: @escaping @Sendable (WriteFailure) -> Void = { _ in }) {
        self.onBroken = onBroken
    }

    var isWritable: Bool {
        state.withLock { if case .writable = $0 { true } else { false } }
    }

    var lastingFailure: WriteFailure? {
        state.withLock { if case .broken(let failure) = $0 { failure } else { nil } }
    }

    func noteSuccess() {
        state.withLock { if case .failing = $0 { $0 = .writable } }
    }

    func noteFailure(_ failure: WriteFailure) {
        let isNews = state.withLock { state in
            if case .broken = state { return false }
            state = failure.isLasting ? .broken(failure) : .failing
            return failure.isLasting
        }
        if isNews { onBroken(failure) }
    }
}
