/// One answer, before it is framed. Length, date, connection and request id are the listener's to add.
package struct Response: Sendable {
    package var status: Int
    package var headers: [Field]
    package var body: [UInt8]
    /// What this answer was about, for the request log and the metrics.
    package var account = Account()

    package init(status: Int, headers: [Field] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package init(_ refusal: Refusal) {
        self.init(
            status: refusal.status, headers: [Field("Content-Type", "application/json")] + refusal.headers,
            body: refusal.json)
        account.refusal = refusal.code
        account.cause = refusal.cause
        account.message = refusal.message
        account.evidence = refusal.evidence
        account.app = refusal.caller?.app ?? ""
        account.caller = refusal.caller?.name ?? ""
    }

    /// No answer at all: the connection is closed. For stand-ins that misbehave on purpose.
    package static let reset = Response(status: 0)
    package var isReset: Bool { status == 0 }

    package static func json(_ status: Int, _ body: [UInt8]) -> Response {
        Response(status: status, headers: ofJSON, body: body)
    }

    private static let ofJSON = [Field("Content-Type", "application/json")]

    package static func text(_ status: Int, _ body: String) -> Response {
        Response(status: status, headers: [Field("Content-Type", "text/plain; charset=utf-8")], body: Array(body.utf8))
    }
}

/// What the request log says of one request beyond its framing. Empty where it does not apply; never a secret, a query
/// or a body.
package struct Account: Sendable {
    /// The route, with the source's or vendor's name where it is a known one: `/hooks/appsflyer`, never what the caller
    /// typed.
    package var route = ""
    package var app = ""
    /// The source's or the client key's configured name.
    package var caller = ""
    package var profile: ProfileReference?
    package var accepted = 0
    package var unchanged = 0
    package var skips: [Skip] = []
    /// The names of a payload's fields, where no id or no profile was found in it.
    package var keys: [String] = []
    /// Patches whose time is there and cannot be read.
    package var unreadableTimes = 0
    private var denial: Box?

    package init() {}

    /// What is known of a request that was refused. Most are not, and an account is copied with every answer: behind a
    /// reference it weighs nothing there.
    private struct Denial {
        var refusal = ""
        var cause = ""
        var message = ""
        var evidence: Evidence?
        var shape: RequestShape?
    }

    private indirect enum Box {
        case holding(Denial)

        var denial: Denial {
            switch self {
            case .holding(let denial): denial
            }
        }
    }

    private mutating func deny(_ change: (inout Denial) -> Void) {
        var denied = denial?.denial ?? Denial()
        change(&denied)
        denial = .holding(denied)
    }
}

extension Account {
    package var isRefusal: Bool { !refusal.isEmpty }

    /// `error_code` of a refusal.
    package var refusal: String {
        get { denial?.denial.refusal ?? "" }
        set { deny { $0.refusal = newValue } }
    }

    package var cause: String {
        get { denial?.denial.cause ?? "" }
        set { deny { $0.cause = newValue } }
    }

    /// What the sender was told.
    package var message: String {
        get { denial?.denial.message ?? "" }
        set { deny { $0.message = newValue } }
    }

    package var evidence: Evidence? {
        get { denial?.denial.evidence }
        set { deny { $0.evidence = newValue } }
    }

    /// What a refused request looked like.
    package var shape: RequestShape? {
        get { denial?.denial.shape }
        set { deny { $0.shape = newValue } }
    }
}
