import Relay
import Synchronization

/// Whether the store can be written; asked from everywhere.
final class StoreStatus: Sendable {
    private enum State {
        case writable
        case failing(OutboxFailure)
        /// Until the file is opened anew.
        case broken(WriteFailure)
    }

    private let state = Mutex(State.writable)
    private let onEvent: @Sendable (OutboxEvent) -> Void
    /// Transactions so far.
    let commits = Atomic(0)
    /// Settlements that the store has not served.
    let settlementsInMail = Atomic(0)

    /// - Parameter onEvent: told once of each change.
    init(onEvent: @escaping @Sendable (OutboxEvent) -> Void = { _ in }) {
        self.onEvent = onEvent
    }

    var isWritable: Bool {
        state.withLock { if case .writable = $0 { true } else { false } }
    }

    /// Why nothing is stored; nil while everything is.
    var failure: OutboxFailure? {
        state.withLock { state in
            switch state {
            case .writable: nil
            case .failing(let failure): failure
            case .broken(let failure): failure.failure
            }
        }
    }

    var lastingFailure: WriteFailure? {
        state.withLock { if case .broken(let failure) = $0 { failure } else { nil } }
    }

    /// A probe worked. A commit that does says little: on a disk that is nearly full a small one fits, and the next one
    /// does not.
    func noteProbed() {
        let isNews = state.withLock { state in
            guard case .failing = state else { return false }
            state = .writable
            return true
        }
        if isNews { onEvent(.writable) }
    }

    func noteFailure(_ failure: WriteFailure) {
        let news: OutboxEvent? = state.withLock { state in
            switch state {
            case .broken: return nil
            case _ where failure.isLasting:
                state = .broken(failure)
                return .broken(failure.failure)
            case .failing: return nil
            case .writable:
                state = .failing(failure.failure)
                return .unwritable(failure.failure)
            }
        }
        if let news { onEvent(news) }
    }
}
