/// What makes two refusals the same: where, whose, and why. Every part is a configured name or one of our own words,
/// so there are few: what a sender typed is in none of them.
package struct RejectionKind: Sendable, Hashable {
    /// Empty where there is no such route, or no request that could be read.
    package let route: String
    /// The source's or client key's name; empty where nobody knows.
    package let caller: String
    package let app: String
    /// 200 where the vendor is told of no refusal.
    package let status: Int
    /// `error_code` of the answer.
    package let code: String
    /// Empty where the code says it all.
    package let cause: String

    /// Nil for what is no refusal of ours.
    init?(_ exchange: Exchange) {
        let account = exchange.account
        guard account.isRefusal else { return nil }
        self.init(exchange, code: account.refusal, cause: account.cause.asReason)
    }

    /// A request that was answered 2xx and came to nothing. Nil for another, and for what Adapty itself had sent to the
    /// vendor: that is as it should be.
    init?(skippedBy exchange: Exchange) {
        let account = exchange.account
        guard let skip = account.skips.first, account.accepted == 0, account.unchanged == 0, !account.isRefusal,
            skip.reason != .echo
        else { return nil }
        self.init(exchange, code: Self.skippedCode, cause: skip.reason.rawValue)
    }

    private init(_ exchange: Exchange, code: String, cause: String) {
        route = exchange.account.route
        caller = exchange.account.caller
        app = exchange.account.app
        status = exchange.status
        self.code = code
        self.cause = cause
    }

    static let skippedCode = "skipped"
}

extension String {
    /// A reason is a word or a few. What says more, such as SQLite's or the upstream's own message, is different each
    /// time: it counts as `other`, and is shown with the request.
    fileprivate var asReason: String {
        let isReason =
            utf8.count <= 48 && utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x20 || "_-".utf8.contains($0) }
        return isReason ? self : "other"
    }
}
