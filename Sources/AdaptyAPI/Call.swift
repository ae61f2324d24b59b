import Relay

/// One request on its way through a transport, from its caller to its ending.
///
/// Unchecked: what changes is touched only on the transport's loop.
final class Call: @unchecked Sendable {
    struct Request: Sendable {
        let method: Method
        let profileHeader: String
        let profileValue: String
        let headers: HeaderList
    }

    /// What is called with the ending, once.
    typealias Conclusion = @Sendable (Ending) -> Void

    enum Method: Sendable {
        case get
        case post([UInt8])
    }

    enum State {
        /// Not yet on the loop.
        case new
        /// For a connection.
        case waiting(Conclusion)
        case running(Conclusion, Transfer)
        case over
    }

    let request: Request
    var state = State.new
    /// In line: when it has waited too long. Running: when it has to end.
    var deadline = ContinuousClock.now

    init(_ request: Request) {
        self.request = request
    }
}

/// How a request ended, before anyone says what that means.
enum Ending: Sendable, Equatable {
    case answered(Answer)
    case failed(TransferFailure)
    /// Given up by us: stopping, cancelled, or too much in line.
    case abandoned(wasSent: Bool)
}

/// An answer as the outcome is read from it.
struct Answer: Sendable, Equatable {
    var status: Int
    var contentType = ""
    var requestID = ""
    var retryAfter: String?
    var body: [UInt8] = []
    /// False where the upstream said more than is read.
    var isWhole = true
}
