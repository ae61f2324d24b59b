import Logging
import Synchronization
import Testing

@testable import Relay

@Suite("Lines of what strangers send")
struct LogBulkTests {
    private final class Lines: LineLog {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }

        func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {
            guard level > .debug else { return }
            let line = "\(level) \(message) \(LogLine(fields))"
            kept.withLock { $0.append(line) }
        }
    }

    private let lines = Lines()

    private func exchange(
        _ status: Int, route: String = "", caller: String = "", code: String = "not_found", cause: String = ""
    ) -> Exchange {
        var account = Account()
        (account.route, account.caller, account.refusal, account.cause) = (route, caller, code, cause)
        return Exchange(
            method: .get, id: .v7(at: .now), callersID: nil, peer: .loopback, requestBodyBytes: 0, status: status,
            responseBodyBytes: 0, account: account, receiveDuration: .zero, handleDuration: .zero)
    }

    @Test("the first of a kind is written, the others are one line with their count, and all are in the record")
    func bulk() {
        let rejections = Rejections()
        let log = RequestLog(log: lines, label: { _ in "" }, rejections: rejections)
        for _ in 0..<1000 { log.answered(exchange(404)) }
        for _ in 0..<10 {
            log.answered(exchange(401, route: "/hooks/a", caller: "a", code: "unauthorized", cause: "no_credential"))
        }
        #expect(lines.all.count == 2)
        log.close()
        let summaries = lines.all.filter { $0.contains("requests like one before") }
        #expect(lines.all.count == 4)
        #expect(summaries.contains { $0.contains(#""count":999,"status":404,"error_code":"not_found""#) })
        #expect(
            summaries.contains {
                $0.contains(
                    #""count":9,"route":"/hooks/a","status":401,"caller":"a","#
                        + #""error_code":"unauthorized","cause":"no_credential""#)
            })
        #expect(rejections.recent().map(\.count).sorted() == [10, 1000])
    }

    @Test("what a known caller sends has a line each, whatever it is answered, but for too much of it")
    func known() {
        let log = RequestLog(log: lines, label: { _ in "" })
        for status in [200, 400, 403, 422, 503] {
            for _ in 0..<5 { log.answered(exchange(status, route: "/hooks/a", caller: "a", code: "")) }
        }
        #expect(lines.all.count == 25)
        for _ in 0..<5 { log.answered(exchange(429, route: "/hooks/a", caller: "a", code: "rate_limited")) }
        #expect(lines.all.count == 26)
    }

    @Test("after a second the next one is written again, and without more of a kind nothing is summed up")
    func seconds() {
        let clock = ContinuousClock()
        let bulk = LogBulk(log: lines, clock: clock)
        let start = clock.now
        #expect(bulk.isFirst(exchange(404), nil, .info, at: start))
        #expect(!bulk.isFirst(exchange(404), nil, .info, at: start + .milliseconds(10)))
        #expect(bulk.isFirst(exchange(405), nil, .info, at: start + .milliseconds(500)))
        #expect(bulk.summarize(at: start + .milliseconds(1000)))
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains(#""count":1,"status":404"#) == true)
        #expect(bulk.isFirst(exchange(404), nil, .info, at: start + .milliseconds(1001)))
        #expect(!bulk.summarize(at: start + .milliseconds(3000)))
        #expect(lines.all.count == 1)
    }

    @Test("kinds without number are one kind in the end")
    func bounded() {
        let bulk = LogBulk(log: lines, clock: ContinuousClock())
        var written = 0
        for number in 0..<5000 where bulk.isFirst(exchange(404, route: "/\(number)"), nil, .info) { written += 1 }
        #expect(written <= 513)
        bulk.summarize(all: true)
        #expect(lines.all.count == 1)
    }
}
