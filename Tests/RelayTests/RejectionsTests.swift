import Testing

@testable import Relay

@Suite("Rejections")
struct RejectionsTests {
    private static func exchange(
        _ cause: String = "wrong_credential", route: String = "/hooks/onesignal", from address: String = "203.0.113.9",
        status: Int = 401, code: String = "unauthorized", body: Int = 214, message: String = "",
        profile: ProfileReference? = nil, evidence: Evidence? = nil
    ) -> Exchange {
        var account = Account()
        account.route = route
        account.caller = route.isEmpty ? "" : String(route.split(separator: "/").last ?? "")
        account.refusal = code
        account.cause = cause
        account.message = message
        account.profile = profile
        account.evidence = evidence
        return Exchange(
            method: .post, id: .v7(at: .now), callersID: "r", peer: PeerAddress(address), requestBodyBytes: body,
            status: status, responseBodyBytes: 0, account: account, receiveDuration: .zero, handleDuration: .zero)
    }

    private static func evidence(_ change: (inout Evidence) -> Void) -> Evidence {
        var evidence = Evidence()
        change(&evidence)
        return evidence
    }

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    @Test("refusals of one kind are one entry with its count, its times, and the last request of each sender")
    func oneEntry() throws {
        let rejections = Rejections()
        for second in 1...3 {
            rejections.note(Self.exchange(body: second), label: { _ in "" }, at: time(Int64(second)))
        }
        rejections.note(Self.exchange(from: "198.51.100.1"), label: { _ in "" }, at: time(4))
        let all = rejections.recent()
        let entry = try #require(all.first)
        #expect(all.count == 1)
        #expect(entry.count == 4)
        #expect((entry.first, entry.last) == (time(1), time(4)))
        let sender = try #require(entry.senders.first { $0.address.description == "203.0.113.9" })
        #expect(sender.count == 3)
        #expect((sender.first, sender.last) == (time(1), time(3)))
        #expect(sender.request.bodyBytes == 3)
    }

    @Test("what is answered well, as Adapty wishes, or to a load balancer is no refusal")
    func noRefusals() {
        let rejections = Rejections()
        rejections.note(Self.exchange(status: 200, code: ""), label: { _ in "" })
        rejections.note(Self.exchange(status: 404, code: ""), label: { _ in "" })
        rejections.note(Self.exchange("", route: "/readyz", status: 503, code: ""), label: { _ in "" })
        #expect(rejections.recent().isEmpty)
    }

    @Test("bytes that were no request are kept, too")
    func framing() throws {
        let rejections = Rejections()
        rejections.note(Self.exchange("", route: "", status: 400, code: "bad_request"), label: { _ in "" })
        #expect(try #require(rejections.recent().first).kind.code == "bad_request")
    }

    @Test("a flood from one address pushes nothing out, neither of its own kind nor of another")
    func flood() throws {
        let rejections = Rejections()
        let vendor = Self.evidence { ($0.presentedBytes, $0.expectedBytes) = (17, [32]) }
        rejections.note(Self.exchange(from: "192.0.2.7", evidence: vendor), label: { _ in "" }, at: time(1))
        for second in 2..<5000 {
            rejections.note(Self.exchange(from: "203.0.113.66"), label: { _ in "" }, at: time(Int64(second)))
            rejections.note(
                Self.exchange("", route: "", from: "203.0.113.66", status: 404, code: "not_found"), label: { _ in "" },
                at: time(Int64(second)))
        }
        let entry = try #require(rejections.recent().first { $0.kind.caller == "onesignal" })
        #expect(entry.senders.contains { $0.address.description == "192.0.2.7" && $0.request.evidence == vendor })
    }

    @Test("a vendor that comes again outlasts any number of addresses that come once")
    func manyAddresses() throws {
        let rejections = Rejections()
        for _ in 0..<2 { rejections.note(Self.exchange(from: "192.0.2.7"), label: { _ in "" }, at: time(1)) }
        for number in 0..<3000 {
            rejections.note(
                Self.exchange(from: "10.0.\(number / 256).\(number % 256)"), label: { _ in "" }, at: time(2))
        }
        let entry = try #require(rejections.recent().first)
        #expect(entry.senders.contains { $0.address.description == "192.0.2.7" })
        #expect(entry.senders.count == Rejections.mostSenders)
        #expect(entry.count == 3002)
    }

    @Test("however many kinds there are, so many are kept, and those used most stay")
    func manyKinds() {
        let rejections = Rejections()
        for _ in 0..<2 { rejections.note(Self.exchange(), label: { _ in "" }, at: time(1)) }
        for number in 0..<2000 {
            rejections.note(Self.exchange("c\(number)"), label: { _ in "" }, at: time(Int64(number) + 2))
        }
        let all = rejections.recent()
        #expect(all.count == Rejections.mostKinds)
        #expect(all.contains { $0.kind.cause == "wrong_credential" })
        #expect(all.contains { $0.kind.cause == "c1999" })
    }

    @Test("words that are different each time are one kind, and shown cut and printable with the request")
    func freeText() throws {
        let rejections = Rejections()
        for number in 0..<9 {
            let words = "disk I/O error \(number)\u{1b}[2J\n" + String(repeating: "x", count: 5000)
            rejections.note(Self.exchange(words, status: 503, code: "unavailable"), label: { _ in "" })
        }
        let entry = try #require(rejections.recent().first)
        #expect(entry.kind.cause == "other")
        #expect(entry.count == 9)
        let detail = try #require(entry.senders.first).request.detail
        #expect(detail.hasPrefix("disk I/O error 8?[2J?xxx"))
        #expect(detail.utf8.count == 200)
    }

    @Test("a profile that the upstream quotes is shown as the configuration says")
    func profiles() throws {
        let rejections = Rejections()
        let profile = try #require(ProfileReference.customerUserID("mail@example.com"))
        let text = "upstream: no profile mail@example.com"
        rejections.note(Self.exchange(text, message: text, profile: profile), label: { _ in "<hash>" })
        let request = try #require(rejections.recent().first?.senders.first).request
        #expect(request.detail == "upstream: no profile <hash>")
        #expect(request.message == "upstream: no profile <hash>")
    }

    @Test("what a sender types is in no part of a record: names and types are ours, or counted")
    func shape() {
        let request = Request(
            method: .post, path: "/hooks/af",
            headers: Headers([
                Field("x-api-key", "canary"), Field("Content-Type", "canary/canary; a=canary"),
                Field("Canary", "canary"),
            ]))
        let shape = RequestShape(request)
        #expect(shape.contentType == "other")
        #expect(shape.fields == ["Content-Type", "X-Api-Key"])
        #expect(shape.otherFields == 1)
    }

    @Test("they can be asked for by source, cause, status, time and number")
    func filter() {
        let rejections = Rejections()
        rejections.note(Self.exchange(), label: { _ in "" }, at: time(1))
        rejections.note(Self.exchange("no_credential", route: "/hooks/branch"), label: { _ in "" }, at: time(2))
        rejections.note(Self.exchange("", status: 400, code: "malformed_body"), label: { _ in "" }, at: time(3))
        func causes(_ change: (inout RejectionFilter) -> Void) -> [String] {
            var filter = RejectionFilter()
            change(&filter)
            return rejections.recent(filter).map(\.kind.cause)
        }
        #expect(causes { _ in } == ["", "no_credential", "wrong_credential"])
        #expect(causes { $0.caller = "branch" } == ["no_credential"])
        #expect(causes { $0.cause = "wrong_credential" } == ["wrong_credential"])
        #expect(causes { $0.status = 400 } == [""])
        #expect(causes { $0.since = time(2) } == ["", "no_credential"])
        #expect(causes { $0.limit = 1 } == [""])
    }

    @Test(
        "each cause has a sentence that says what to look at",
        arguments: [
            ("no_credential", Evidence(), "No credential at all: is the header X-Api-Key set at the sender?"),
            (
                "wrong_credential", evidence { ($0.presentedBytes, $0.expectedBytes) = (24, [32, 40]) },
                "The credential is 24 bytes long, configured ones are 32 or 40: another secret is set at the sender."
            ),
            (
                "wrong_credential", evidence { ($0.presentedBytes, $0.expectedBytes) = (33, [32]) },
                "The credential is 33 bytes long, configured ones are 32: a blank, a quote or a line's end was copied "
                    + "along, or another secret is set at the sender."
            ),
            (
                "wrong_credential", evidence { ($0.presentedBytes, $0.expectedBytes) = (32, [32]) },
                "The credential is another of the right length, 32 bytes: was it changed on one side only?"
            ),
            (
                "stale", evidence { ($0.skew, $0.tolerance) = (.seconds(-430), .seconds(300)) },
                "The sender's time is 7 minutes behind ours, 5 minutes are tolerated: set its clock, or it repeats a "
                    + "request with its first signature."
            ),
            (
                "stale", evidence { ($0.skew, $0.tolerance) = (.seconds(7200), .seconds(300)) },
                "The sender's time is 2 hours ahead of ours, 5 minutes are tolerated: set its clock."
            ),
            (
                "wrong_credential", Evidence(),
                "The credential is not one of those configured: was it changed on one side only?"
            ),
        ])
    func hints(cause: String, evidence: Evidence, sentence: String) throws {
        let rejections = Rejections(places: ["onesignal": "the header X-Api-Key"])
        rejections.note(Self.exchange(cause, evidence: evidence), label: { _ in "" })
        let entry = try #require(rejections.recent().first)
        #expect(rejections.hint(for: entry, try #require(entry.senders.first)) == sentence)
    }

    @Test(
        "each cause of a profile token has one, too",
        arguments: [
            ("token_expired", evidence { ($0.skew, $0.tolerance) = (.seconds(-430), .seconds(30)) }, "7 minutes ago"),
            ("token_not_yet_valid", evidence { ($0.skew, $0.tolerance) = (.seconds(7200), .seconds(30)) }, "2 hours"),
            ("wrong_audience", evidence { $0.keyID = "k2" }, "audience in profile_tokens"),
            ("wrong_issuer", Evidence(), "iss and algorithm"),
            ("unknown_key", evidence { $0.keyID = "k2" }, "no key \"k2\" here"),
            ("unknown_key", Evidence(), "no key for the token's algorithm here"),
            ("unknown_key", evidence { ($0.presentedBytes, $0.expectedBytes) = (24, [32]) }, "24 bytes long"),
            ("wrong_signature", Evidence(), "No key of the issuer"),
            ("algorithm_not_allowed", Evidence(), "algorithms"),
            ("malformed_token", Evidence(), "three parts"), ("token_too_long", Evidence(), "8192 bytes"),
            ("critical_header", Evidence(), "crit"), ("no_expiry", Evidence(), "no exp"),
            ("bad_time", Evidence(), "no number of seconds"), ("no_profile", Evidence(), "customer_user_id"),
            ("bad_profile", Evidence(), "profile's id"),
        ])
    func tokenHints(cause: String, evidence: Evidence, words: String) throws {
        let rejections = Rejections()
        rejections.note(Self.exchange(cause, route: "/client/branch", evidence: evidence), label: { _ in "" })
        let entry = try #require(rejections.recent().first)
        let hint = rejections.hint(for: entry, try #require(entry.senders.first))
        #expect(hint.contains(words), "\(hint)")
    }

    @Test(
        "each cause of an App Check token has a hint, and none is taken for a profile token's",
        arguments: [
            ("app_check_missing", Evidence(), "no X-Firebase-AppCheck beside it"),
            ("app_check_repeated", Evidence(), "more than once"),
            (
                "app_check_token_expired", evidence { ($0.skew, $0.tolerance) = (.seconds(-430), .seconds(30)) },
                "7 minutes ago"
            ),
            ("app_check_token_not_yet_valid", Evidence(), "not valid yet"),
            ("app_check_wrong_audience", Evidence(), "app_check.project"),
            ("app_check_wrong_issuer", Evidence(), "app_check.project"),
            ("app_check_wrong_signature", Evidence(), "forged"), ("app_check_unknown_key", Evidence(), "forged"),
            ("app_check_algorithm_not_allowed", Evidence(), "RS256"),
            ("app_check_malformed_token", Evidence(), "no token of Firebase's"),
        ])
    func appCheckHints(cause: String, evidence: Evidence, words: String) throws {
        try tokenHints(cause: cause, evidence: evidence, words: words)
    }

    @Test("a wrong signature at a hook is not called a token's")
    func hookSignature() throws {
        let rejections = Rejections()
        rejections.note(Self.exchange("wrong_signature"), label: { _ in "" })
        let entry = try #require(rejections.recent().first)
        #expect(rejections.hint(for: entry, try #require(entry.senders.first)).contains("configured secret"))
    }

    @Test("a refused body is noted by its digest, whatever stage refused it; an accepted or throttled one is not")
    func digest() async {
        let answers = Answers(clock: ContinuousClock())
        func evidence(_ change: (inout FakeStages) -> Void) async -> Evidence? {
            var stages = FakeStages()
            change(&stages)
            let intake = Intake(
                authenticator: stages, limiter: stages, normalizer: stages, outbox: stages, apps: [:])
            let api = PublicAPI(
                intake: intake, sources: ["af": Source(name: "af", vendor: "appsflyer", app: "main")],
                normalizer: stages, answers: answers, health: Health { true }, digest: { "digest of \($0.count)" })
            return await api.respond(to: Request(method: .post, path: "/hooks/af", body: [1, 2])).account.evidence
        }
        #expect(await evidence { $0.authentication = .unauthorized(cause: "x") }?.bodyDigest == "digest of 2")
        #expect(await evidence { $0.reading = .malformedBody("x") }?.bodyDigest == "digest of 2")
        #expect(await evidence { $0.limit = Refusal(429, "rate_limited", "x") } == nil)
        #expect(await evidence { _ in } == nil)
    }
}
