import Logging
import Synchronization
import Testing

@testable import Relay

/// Keeps what is written.
private final class Lines: LineLog {
    private let written = Mutex<[String]>([])
    var all: [String] { written.withLock { $0 } }

    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {
        var json = JSONText()
        json.object { fields(&$0) }
        let line = "\(level) \(message) \(String(decoding: json.bytes, as: UTF8.self))"
        written.withLock { $0.append(line) }
    }
}

@Suite("Events that come to nothing")
struct IdleSourceTests {
    private let lines = Lines()

    private func exchange(_ source: String, accepted: Int = 0, skips: [Skip] = [], keys: [String] = []) -> Exchange {
        var account = Account()
        (account.route, account.caller) = ("/hooks/\(source)", source)
        (account.accepted, account.skips, account.keys) = (accepted, skips, keys)
        return Exchange(
            method: .post, id: .v7(at: .now), callersID: nil, peer: .loopback, requestBodyBytes: 9, status: 200,
            responseBodyBytes: 0, account: account, receiveDuration: .zero, handleDuration: .zero)
    }

    private let skip = Skip(.noProfile, "customer_user_id")

    @Test("a source of which every event was skipped is a warning, with the names of its fields; another is not")
    func warns() {
        let log = RequestLog(log: lines, label: { _ in "" })
        for _ in 0..<3 { log.answered(exchange("branch", skips: [skip], keys: ["user", "id"])) }
        log.answered(exchange("adjust", skips: [skip]))
        log.answered(exchange("adjust", accepted: 1))
        log.answered(exchange("tenjin", accepted: 1))
        func warnings() -> [String] { lines.all.filter { $0.hasPrefix("warning") } }
        log.warnOfIdleSources()
        #expect(
            warnings() == [
                #"warning nothing of what a source sends can be used {"source":"branch","skipped":3,"#
                    + #""reason":"no_profile","detail":"customer_user_id","keys":["user","id"]}"#
            ])
        // Each hour by itself.
        log.warnOfIdleSources()
        #expect(warnings().count == 1)
        log.answered(exchange("adjust", skips: [skip]))
        log.warnOfIdleSources()
        #expect(warnings().count == 2)
    }

    @Test("is kept beside what was refused, with the names of the payload's fields, and is no refusal to the metrics")
    func kept() throws {
        let rejections = Rejections()
        let log = RequestLog(log: lines, label: { _ in "" }, rejections: rejections)
        log.answered(exchange("branch", skips: [skip], keys: ["user"]))
        log.answered(exchange("branch", accepted: 1, skips: [skip]))
        log.answered(exchange("branch", skips: [Skip(.echo, "Adapty's own")]))
        let entry = try #require(rejections.recent().first)
        #expect(rejections.recent().count == 1 && entry.count == 1)
        #expect((entry.kind.code, entry.kind.cause, entry.kind.status) == ("skipped", "no_profile", 200))
        let hint = rejections.hint(for: entry, try #require(entry.senders.first))
        #expect(hint.contains("neither a customer user id nor a profile id") && hint.hasSuffix("keys are user."))
        #expect(RejectionKind(exchange("branch", skips: [skip])) == nil)
    }
}
