import Relay

@testable import AdaptyAPI

extension Fuzzer {
    /// What stands in for Adapty may say anything. It comes to an outcome, with words that fit into a log line.
    static let upstreamAnswer = Fuzzer(
        name: "UpstreamAnswer",
        words: [
            "\"errors\":[", "\"error_code\":", "\"profile_not_found\"", "\"source\":", "\"detail\":", "\"code\":",
            "\\ud83d\\ude00", "\\udc00", "Sun, 06 Nov 1994 08:49:37 GMT", "9223372036854775807", "[[", "{\"\":",
        ],
        seeds: { _ in
            [
                #"{"errors":["Invalid API key"],"error_code":"unauthorized","status_code":401}"#,
                #"{"errors":[{"source":"branch_id","errors":["Too long."]}],"error_code":"validation_error"}"#,
                #"{"errors":[{"code":"profile_does_not_exist","detail":"\ud83d\ude00","status":"404"}]}"#,
                "<html>", #"{"a":[[[[[[[1.5e-9,true,null]]]]]]]}"#,
            ].flatMap { body in
                ["", "30", "Sun, 06 Nov 2094 08:49:37 GMT", "99999999999999999999"].map {
                    [UInt8(body.utf8.count % statuses.count)] + Array("\($0)\u{0}\(body)".utf8)
                }
            }
        },
        run: { input in
            let status = input.choice(of: statuses)
            let retryAfter = String(decoding: input.part().filter { !$0.isControl }, as: UTF8.self)
            let body = Array(input.rest)
            if let said = ErrorAnswer(body) {
                claim((said.code ?? "").utf8.count <= ErrorAnswer.mostCodeBytes, "a long code")
                claim(said.words.reduce(-1) { $0 + $1.utf8.count + 1 } <= ErrorAnswer.mostWordBytes, "many words")
                claim(isClean(said.code ?? "") && said.words.allSatisfy(isClean), "control characters in words")
            }
            let now = Timestamp(year: 2026, month: 10, day: 20) ?? .now
            if let delay = RetryAfter.delay(retryAfter, now: now) {
                claim(delay >= .zero && delay <= RetryAfter.longest, "stay away for \(delay)")
            }
            let outcome = Outcome(Answer(status: status, retryAfter: retryAfter, body: body), now: now)
            let isApplied = if case .applied = outcome { true } else { false }
            claim(!isApplied || (200..<300).contains(status), "\(status) is \(outcome)")
            if case .profileMissing = outcome { claim((400..<500).contains(status), "\(status) is \(outcome)") }
            if case .rejected = outcome { claim((400..<500).contains(status), "\(status) is \(outcome)") }
        })

    private static let statuses = [200, 204, 301, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503, 599, 100, 0]
}
