import Relay
import Testing

@testable import Admin

@Suite("The page of refused requests")
struct RejectedPageTests {
    private static let now = Timestamp(milliseconds: 1_790_000_090_500)

    private func page(_ refusals: [(caller: String, refusal: Refusal)]) -> RejectedPage {
        let rejections = Rejections(places: ["onesignal": "the header X-Api-Key"], now: Self.now)
        for (caller, refusal) in refusals {
            var account = Response(refusal).account
            (account.route, account.caller) = ("/hooks/" + caller, caller)
            let exchange = Exchange(
                method: .post, id: .v7(at: .now), callersID: "r1", peer: PeerAddress("203.0.113.9"),
                requestBodyBytes: 214, status: refusal.status, responseBodyBytes: 0, account: account,
                receiveDuration: .zero, handleDuration: .zero)
            rejections.note(exchange, label: { _ in "" })
        }
        return RejectedPage(rejections: rejections)
    }

    private var wrongSecret: Refusal {
        var refusal = Refusal.unauthorized(cause: "wrong_credential")
        var evidence = Evidence()
        (evidence.presentedBytes, evidence.expectedBytes, evidence.bodyDigest) = (24, [32], "0123456789abcdef")
        (evidence.keyID, evidence.skew, evidence.tolerance) = ("k1", .seconds(-3), .seconds(300))
        refusal.evidence = evidence
        return refusal
    }

    private func text(_ page: RejectedPage, _ query: String) -> String {
        String(decoding: page.answer(query, now: .now).body, as: UTF8.self)
    }

    @Test("numbers of any size are read or refused")
    func extremeNumbers() {
        let page = page([("onesignal", wrongSecret)])
        let numbers = ["0", "-1", "1", "1000000", "1000001", "9223372036854775807", "9223372036854775808", "1e9", ""]
        for number in numbers + [String(repeating: "9", count: 400)] {
            for query in ["limit=\(number)", "since=\(number)d", "since=\(number)s", "status=\(number)"] {
                #expect([200, 400].contains(page.answer(query, now: Self.now).status), "\(query)")
            }
        }
    }

    @Test("a line of JSON for each kind, with all that was seen and what to do")
    func json() {
        let text = text(page([("onesignal", wrongSecret), ("onesignal", wrongSecret)]), "")
        #expect(text.hasPrefix(#"{"route":"/hooks/onesignal","source":"onesignal","app":"","status":401,"#))
        for part in [
            #""error_code":"unauthorized","cause":"wrong_credential","count":2"#, #""client":"203.0.113.9","count":2"#,
            #""request_id":"r1","method":"POST""#, #""body_bytes":214,"body_sha256":"0123456789abcdef","key_id":"k1""#,
            #""presented_bytes":24,"expected_bytes":[32],"skew_ms":-3000,"tolerance_ms":300000"#,
            #""hint":"The credential is 24 bytes long, configured ones are 32: another secret is set at the sender."}]}"#,
        ] { #expect(text.contains(part), "\(text)") }
        #expect(text.split(separator: "\n").count == 1)
    }

    @Test("a table for people, its columns in line, a sentence under each sender")
    func table() {
        let page = page([("onesignal", wrongSecret), ("branch", .unauthorized(cause: "no_credential"))])
        let lines = text(page, "as=text").split(separator: "\n").map(String.init)
        #expect(lines[0] == "Refused since this node started, 2026-09-21T14:14:50Z; kept in memory only.")
        let rows = lines.filter { $0.contains("  401     unauthorized  ") }.map { Array($0) }
        #expect(rows.count == 2)
        #expect(Set(rows.map { String($0).split(separator: "unauthorized")[0].count }).count == 1)
        #expect(lines.contains { $0.contains("credential of 24 bytes") && $0.contains("SHA-256 0123456789abcdef") })
        #expect(lines.contains { $0.hasPrefix("    -> The credential is 24 bytes long") })
        #expect(text(self.page([]), "as=text").hasSuffix("Nothing.\n"))
    }

    @Test(
        "the query says which",
        arguments: [
            ("source=onesignal", 1), ("source=bra%6Ech", 1), ("source=none", 0), ("cause=no_credential", 1),
            ("status=401", 2), ("status=503", 0), ("since=10m", 2), ("limit=1", 1), ("source=branch&status=401", 1),
        ])
    func query(query: String, count: Int) {
        let page = page([("onesignal", wrongSecret), ("branch", .unauthorized(cause: "no_credential"))])
        #expect(text(page, query).split(separator: "\n").count == count)
    }

    @Test("what is older than asked for is left out")
    func since() {
        let later = Timestamp.now + .seconds(700)
        #expect(page([("onesignal", wrongSecret)]).answer("since=10m", now: later).body.isEmpty)
        #expect(!page([("onesignal", wrongSecret)]).answer("since=1h", now: later).body.isEmpty)
    }

    @Test(
        "a query that cannot be read is told so",
        arguments: [
            "since=soon", "since=-5m", "limit=0", "limit=x", "status=", "who=me", "source", "source=%zz", "as=xml",
        ])
    func badQuery(query: String) {
        #expect(page([]).answer(query, now: .now).status == 400)
    }
}
