import Relay
import Testing

@testable import AdaptyAPI

@Suite("What an answer means")
struct OutcomeTests {
    static let now = Timestamp(milliseconds: 1_760_000_000_000)

    struct Row: Sendable, CustomTestStringConvertible {
        let status: Int
        let body: String
        let name: String
        var testDescription: String { "\(status) \(body.prefix(40)) -> \(name)" }

        init(_ status: Int, _ body: String, _ name: String) {
            (self.status, self.body, self.name) = (status, body, name)
        }
    }

    static func error(_ code: String) -> String { #"{"errors":["x"],"error_code":"\#(code)","status_code":400}"# }

    @Test(
        "the table",
        arguments: [
            Row(200, "", "applied"), Row(201, "", "applied"), Row(204, "", "applied"), Row(200, " \r\n", "applied"),
            Row(200, "{}", "applied"), Row(200, #"{"data":{"profile_id":"x","errors":[]}}"#, "applied"),
            Row(200, #"{"errors":[],"error_code":null}"#, "applied"), Row(200, "true", "applied"),
            // Regression: all of these counted as applied, and what was accepted was gone without a word.
            Row(200, error("profile_not_found"), "refused"), Row(200, "<html>captive portal</html>", "refused"),
            Row(200, "OK", "refused"), Row(200, #"{"error":"busy"}"#, "refused"), Row(200, "{", "refused"),
            Row(202, "", "refused"), Row(203, "", "refused"), Row(206, "", "refused"), Row(299, "", "refused"),
            Row(301, "", "refused"), Row(302, "", "refused"), Row(304, "", "refused"),
            Row(400, error("validation_error"), "rejected"), Row(400, #"{"errors":["x"]}"#, "rejected"),
            Row(400, "", "refused"), Row(400, "<html>", "refused"), Row(400, #"{"message":"no"}"#, "refused"),
            Row(400, error("profile_does_not_exist"), "profile_missing"),
            Row(401, error("unauthorized"), "misconfigured"), Row(401, error("not_authenticated"), "misconfigured"),
            Row(401, "", "refused"), Row(401, "<html>", "refused"),
            Row(403, error("feature_not_enabled"), "misconfigured"), Row(403, "", "refused"),
            Row(403, "<html>", "refused"), Row(403, #"{"message":"Forbidden"}"#, "refused"),
            Row(404, error("profile_not_found"), "profile_missing"),
            Row(404, error("profile_does_not_exist"), "profile_missing"),
            Row(404, error("not_found"), "refused"), Row(404, "", "refused"),
            Row(404, "<html>profile_not_found</html>", "refused"),
            Row(404, #"["profile_not_found"]"#, "refused"),
            Row(404, #"{"data":{"error_code":"profile_not_found"}}"#, "refused"),
            Row(404, #"{"errors":[{"code":"profile_not_found"}]}"#, "profile_missing"),
            Row(404, #"{"errors":[{"code":"profile_does_not_exist","status":"404"}]}"#, "profile_missing"),
            Row(422, error("profile_not_found"), "profile_missing"),
            Row(402, "", "refused"), Row(405, "", "refused"), Row(405, error("x"), "refused"), Row(410, "", "refused"),
            Row(418, error("x"), "rejected"), Row(418, "", "refused"), Row(413, error("x"), "rejected"),
            Row(413, "<html>", "refused"), Row(422, error("x"), "rejected"), Row(422, "{}", "refused"),
            Row(408, "", "failed"), Row(409, "", "failed"), Row(409, error("x"), "failed"), Row(421, "", "failed"),
            Row(423, error("locked"), "failed"), Row(425, "", "failed"), Row(499, "", "failed"),
            Row(429, "", "throttled"), Row(429, error("rate_limited"), "throttled"),
            Row(500, "", "failed"), Row(500, error("profile_not_found"), "failed"), Row(502, "<html>", "failed"),
            Row(503, "", "failed"), Row(504, "", "failed"), Row(520, "", "failed"), Row(599, "", "failed"),
            Row(999, "", "failed"), Row(0, "", "failed"), Row(101, "", "failed"),
        ])
    func table(row: Row) {
        let outcome = Outcome(Answer(status: row.status, body: Array(row.body.utf8)), now: Self.now)
        #expect(outcome.name == row.name)
        if row.name != "applied" { #expect(outcome.failure?.status == row.status) }
    }

    @Test("whatever the status, Retry-After is asked of every failure to try again", arguments: [408, 429, 500, 503])
    func retryAfter(status: Int) {
        let outcome = Outcome(Answer(status: status, retryAfter: "12"), now: Self.now)
        guard case .failed(_, let after, let isOverload) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(after == .seconds(12))
        #expect(isOverload == (status == 429))
    }

    @Test(
        "every way to get no answer but a bad header is tried again",
        arguments: TransferFailure.Kind.allCases)
    func noAnswer(kind: TransferFailure.Kind) {
        let outcome = Outcome(TransferFailure(kind, "why"))
        let failure = Failure(status: nil, code: kind.rawValue, message: "why")
        #expect(
            outcome == (kind == .badHeader ? .rejected(failure, .all) : .failed(failure, after: nil, isOverload: false))
        )
    }

    @Test("a rejection carries Adapty's words")
    func words() {
        let body = #"{"errors":[{"source":"branch_id","errors":["Too long."]}],"error_code":"validation_error"}"#
        #expect(
            Outcome(Answer(status: 400, body: Array(body.utf8)), now: Self.now)
                == .rejected(
                    Failure(status: 400, code: "validation_error", message: "branch_id: Too long."),
                    .named(IdentifierSet(.branchID))))
    }

    @Test(
        "a rejection says which fields it is about, where Adapty does",
        arguments: [
            (
                #"[{"source":"branch_id","errors":["x"]},{"source":"appsflyer_id","errors":["y"]}]"#,
                FieldRejection.Fields.named([IdentifierSet(.branchID), IdentifierSet(.appsflyerID)])
            ),
            (#"[{"source":"body.branch_id","errors":["x"]}]"#, .named(IdentifierSet(.branchID))),
            (
                #"[{"code":"invalid","source":{"pointer":"/data/attributes/branch_id"}}]"#,
                .named(IdentifierSet(.branchID))
            ),
            (#"[{"source":null,"errors":["x"]}]"#, .unnamed), (#"["branch_id is too long"]"#, .unnamed),
            (#"[{"source":"adapty-customer-user-id","errors":["x"]}]"#, .all),
            (#"[{"source":{"header":"adapty-profile-id"},"code":"x"}]"#, .all),
        ])
    func fields(errors: String, expected: FieldRejection.Fields) {
        let body = #"{"errors":\#(errors),"error_code":"validation_error","status_code":400}"#
        guard case .rejected(_, expected) = Outcome(Answer(status: 400, body: Array(body.utf8)), now: Self.now) else {
            Issue.record("\(Outcome(Answer(status: 400, body: Array(body.utf8)), now: Self.now))")
            return
        }
    }

    @Test("a v1 profile that is read only in part is still no error")
    func longProfile() {
        let start = Array(#"{"data":{"profile_id":"x","custom_attributes":[{"a":"#.utf8)
        #expect(Outcome(Answer(status: 200, body: start, isWhole: false), now: Self.now) == .applied)
        let error = Array(#"{"errors":["x"],"data":{"a":"#.utf8)
        #expect(Outcome(Answer(status: 200, body: error, isWhole: false), now: Self.now).name == "refused")
    }

    @Test("an answer without words gets some of ours")
    func noWords() {
        #expect(
            Outcome(Answer(status: 502), now: Self.now).failure
                == Failure(status: 502, code: "http_502", message: "HTTP 502 without a reason that could be read"))
    }
}

@Suite("Retry-After")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT
    static let now = Timestamp(milliseconds: 784_111_777_000)

    @Test(
        "seconds and every form of a date, between nothing and an hour",
        arguments: [
            ("0", Duration.zero), ("1", .seconds(1)), (" 120 ", .seconds(120)), ("3600", .seconds(3600)),
            ("3601", .seconds(3600)), ("99999999999999999999999", .seconds(3600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", .seconds(60)), ("Sunday, 06-Nov-94 08:50:37 GMT", .seconds(60)),
            ("Sun Nov  6 08:50:37 1994", .seconds(60)), ("Sun, 06 Nov 1994 08:49:37 GMT", .zero),
            ("Sat, 05 Nov 1994 08:49:37 GMT", .zero), ("Sun, 06 Nov 2094 08:49:37 GMT", .seconds(3600)),
        ])
    func delay(text: String, expected: Duration) {
        #expect(RetryAfter.delay(text, now: Self.now) == expected)
    }

    @Test(
        "anything else asks for nothing",
        arguments: ["", " ", "-1", "1.5", "1e3", "soon", "Sun, 99 Nov 1994", "12 s", "\u{ff11}"])
    func neither(text: String) {
        #expect(RetryAfter.delay(text, now: Self.now) == nil)
    }
}
