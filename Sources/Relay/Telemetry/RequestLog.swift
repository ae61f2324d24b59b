import Logging
import Metrics

/// One log line and a few metrics per request; lines of what strangers send are written in bulk. Never a secret, a
/// query string or a body.
package struct RequestLog: RequestObserver {
    private let log: any LineLog
    private let label: ProfileLabel
    private let requests: RequestMetrics
    private let rejections: Rejections
    private let bulk: LogBulk

    /// - Parameters:
    ///   - label: how a profile is shown; hashed unless configured otherwise.
    ///   - rejections: where refused requests are kept to be looked at.
    ///   - clock: sleeps until a line says how many requests were not written.
    package init(
        log: any LineLog, label: @escaping ProfileLabel, rejections: Rejections = Rejections(),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.log = log
        self.label = label
        requests = RequestMetrics()
        self.rejections = rejections
        bulk = LogBulk(log: log, clock: clock)
    }

    package func answered(_ exchange: Exchange) {
        let rejection = RejectionKind(exchange)
        requests.count(exchange, rejection)
        if let kind = rejection ?? RejectionKind(skippedBy: exchange) {
            rejections.note(exchange, as: kind, label: label)
        }
        var level = Self.level(of: exchange)
        if LogBulk.takes(exchange), !bulk.isFirst(exchange, rejection, level) { level = .debug }
        log.write(level, "request") { write(exchange, to: &$0) }
    }

    /// Says of which sources every event was skipped since this was last called: a wrong field name is answered 200 for
    /// ever, and nobody at the vendor sees it. Called once an hour.
    package func warnOfIdleSources() {
        for source in requests.takeIdleSources() {
            log.write(.warning, "nothing of what a source sends can be used") { json in
                json.field("source", source.name)
                json.field("skipped", source.skipped)
                json.field("reason", source.skip.reason.rawValue)
                json.field("detail", source.skip.detail)
                if !source.keys.isEmpty {
                    json.array("keys") { json in for key in source.keys { json.element(key) } }
                }
            }
        }
    }

    /// The node stops: what was not written is summed up now.
    package func close() {
        bulk.summarize(all: true)
    }

    /// Counted, not logged: a flood of connections shall not become one of lines. A proxy that is not set up as the
    /// configuration says is a mistake that somebody has to find.
    package func shed(_ peer: PeerAddress, _ reason: Shedding) {
        requests.count(reason)
        guard reason == .proxyHeader else { return }
        log.write(.warning, "a connection without its PROXY header") { $0.field("peer", peer.description) }
    }

    /// What a load balancer asks every second is no news; what we could not do is.
    private static func level(of exchange: Exchange) -> Logger.Level {
        switch exchange.status {
        case _ where exchange.account.route == "/livez" || exchange.account.route == "/readyz": .debug
        case 501, 505: .info
        // Refused on purpose, and while it lasts all are: what is wrong has one error line of its own.
        case 503: exchange.account.cause == Refusal.disabledCause ? .info : .warning
        case 500...: .error
        default: .info
        }
    }

    private func write(_ exchange: Exchange, to json: inout JSONText) {
        let account = exchange.account
        json.field("id", exchange.id)
        if let id = exchange.callersID { json.field("request_id", id) } else { json.field("request_id", exchange.id) }
        if let method = exchange.method { json.field("method", method.rawValue) }
        if !account.route.isEmpty { json.field("route", account.route) }
        json.field("status", exchange.status)
        if !account.caller.isEmpty { json.field("caller", account.caller) }
        if !account.app.isEmpty { json.field("app", account.app) }
        if let profile = account.profile { json.profile(label(profile)) }
        if !account.isRefusal {
            json.field("accepted", account.accepted)
            json.field("unchanged", account.unchanged)
            json.field("skipped", account.skips.count)
            if account.unreadableTimes > 0 { json.field("unreadable_times", account.unreadableTimes) }
        } else {
            json.field("error_code", account.refusal)
            if !account.cause.isEmpty { json.field("cause", account.shown(account.cause, label)) }
        }
        if !account.skips.isEmpty {
            // A batch may skip thousands for one reason; a few say which.
            json.array("skips") { json in
                for skip in account.skips.prefix(5) { json.element("\(skip.reason.rawValue): \(skip.detail)") }
            }
        }
        json.field("client", exchange.peer.description)
        if let tls = exchange.tls {
            json.field("tls", tls.version)
            if let client = tls.client { json.field("client_certificate", client) }
        }
        json.field("request_bytes", exchange.requestBodyBytes)
        json.field("response_bytes", exchange.responseBodyBytes)
        json.field("receive_ms", milliseconds: exchange.receiveDuration)
        json.field("handle_ms", milliseconds: exchange.handleDuration)
    }
}

extension JSONText {
    /// - Parameter label: empty where profiles are not shown.
    mutating func profile(_ label: String) {
        if !label.isEmpty { field("profile", label) }
    }
}

/// How a profile is shown in logs; empty where it is not.
package typealias ProfileLabel = @Sendable (ProfileReference) -> String

extension String {
    /// Words of the upstream's, who may quote whom we asked for, with the profile shown as the log shows it. A short id
    /// only where it stands as a word: one of a letter or two is in every sentence.
    func naming(_ profile: ProfileReference, _ label: ProfileLabel) -> String {
        guard profile.value.utf8.count < 8 else { return replacing(profile.value, with: label(profile)) }
        var text = ""
        var rest = self[...]
        while let place = rest.firstRange(of: profile.value) {
            let before = rest[..<place.lowerBound].unicodeScalars.last ?? text.unicodeScalars.last
            let after = rest[place.upperBound...].unicodeScalars.first
            let isWord = ![before, after].contains { $0?.properties.isAlphabetic ?? false || $0?.isDigit ?? false }
            text += rest[..<place.lowerBound] + (isWord ? label(profile) : profile.value)
            rest = rest[place.upperBound...]
        }
        return text + rest
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}

extension Account {
    /// Adapty may quote whom we asked for; how that is shown is the configuration's choice.
    func shown(_ text: String, _ label: ProfileLabel) -> String {
        profile.map { text.naming($0, label) } ?? text
    }
}
