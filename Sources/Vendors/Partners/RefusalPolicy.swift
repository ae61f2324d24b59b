import Relay

/// What a vendor is told of a request that can never be taken, however often it comes: its refusal, or that it was
/// taken, so that it is neither repeated for ever nor stopped for.
///
/// Refused is only who is known to take no harm. 401 (a wrong credential), 408, 429 and 503 (another time may do) stay
/// what they are for everybody.
struct RefusalPolicy: Sendable, Equatable {
    enum Word: Sendable {
        /// 200, and the event is counted as skipped, with the reason.
        case skipped
        /// The refusal's own status, 400 to 431.
        case refused
    }

    /// The body, its coding, a field or an expectation makes no sense: 400, 415, 417.
    let unreadable: Word
    /// The body, the target or the header is beyond its limit: 413, 414, 431.
    let tooLarge: Word
    /// Nothing is read of a request with this method: 405.
    let wrongMethod: Word

    /// For vendors of which nothing is known, and those that the configuration declares.
    static let unknown = RefusalPolicy(all: .skipped)

    private init(all word: Word) {
        (unreadable, tooLarge, wrongMethod) = (word, word, word)
    }

    /// One row for each built-in vendor.
    static let table: [String: RefusalPolicy] = [
        // Repeats on 5xx and without an answer only.
        "adjust": RefusalPolicy(all: .refused),
        // What it repeats is not documented.
        "airbridge": RefusalPolicy(all: .skipped),
        // Sends again for four hours "regardless of the error".
        "amplitude": RefusalPolicy(all: .skipped),
        // Sends again for a day on anything but 200.
        "appmetrica": RefusalPolicy(all: .skipped),
        // Delivers once, whatever it is answered.
        "appsflyer": RefusalPolicy(all: .refused),
        // Repeats on timeouts only: "error codes are not retried".
        "branch": RefusalPolicy(all: .refused),
        // The sender is a customer's own code, or a queue in front of it.
        "facebook": RefusalPolicy(all: .skipped),
        "firebase": RefusalPolicy(all: .skipped),
        // Pauses the whole sync on 400 and 404; told so in the body, see `MixpanelDialect`.
        "mixpanel": RefusalPolicy(all: .skipped),
        // Disables the stream after many failures.
        "onesignal": RefusalPolicy(all: .skipped),
        // Repeats on 408, 429 and 5xx only, but may disable a function that fails again and again.
        "posthog": RefusalPolicy(all: .skipped),
        // What these repeat is not documented.
        "pushwoosh": RefusalPolicy(all: .skipped),
        "tenjin": RefusalPolicy(all: .skipped),
    ]

    static func of(_ vendor: String) -> RefusalPolicy { table[vendor] ?? unknown }

    /// Nil for what is answered as it is, whoever is told.
    func word(for refusal: Refusal) -> Word? {
        switch refusal.skipReason {
        case .unreadable: unreadable
        case .tooLarge: tooLarge
        case .wrongMethod: wrongMethod
        default: nil
        }
    }
}

/// Our own words, and a vendor's policy for what can never be taken.
struct PolicyDialect: Dialect {
    let policy: RefusalPolicy

    func answer(_ receipt: Receipt, to request: Request) -> Response {
        .json(200, receipt.json)
    }

    func answer(_ refusal: Refusal, to request: Request) -> Response {
        guard policy.word(for: refusal) == .skipped else { return Response(refusal) }
        return .json(200, Receipt.skipped(request.id))
    }
}
