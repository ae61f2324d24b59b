import Admin
import Relay
import Synchronization
import Testing

/// A desk with two things on it, that notes what it is asked.
final class NotingDesk: OutboxDesk {
    private let changes = Mutex<[DeskPlace]>([])
    /// Where each change was to go on.
    var places: [DeskPlace] { changes.withLock { $0 } }

    func survey(_ filter: DeskFilter, limit: Int) async throws(DeskError) -> DeskSurvey {
        var survey = DeskSurvey()
        guard let ann = ProfileReference.customerUserID("ann") else { return survey }
        let failure = Failure(status: 503, code: "unavailable", message: "not now, ann\u{1b}[2J")
        for (state, age) in [(DeskState.retrying, 7500), (.dead, 60)] where filter.states.contains(state) {
            survey.counts[.init(app: "main", state: state, error: failure.code)] = 1
            survey.items.append(
                DeskItem(
                    state: state, app: "main", profile: ann, origin: "appsflyer", identifiers: [.appsflyerID],
                    age: .seconds(age), attempts: 3, next: nil, failure: failure))
        }
        return survey
    }
    func show(_ wanted: DeskProfileName, pausedApps: Set<String>) async throws(DeskError) -> [DeskProfile] { [] }
    func change(
        _ change: DeskChange, _ filter: DeskFilter, from: DeskPlace
    ) async throws(DeskError) -> DeskStep {
        changes.withLock { $0.append(from) }
        var step = DeskStep()
        step.changed = 7
        if from.letter.isEmpty {
            step.next = from
            step.next?.begun = Timestamp(milliseconds: 5)
            step.next?.app = nil
            step.next?.letter = "0192"
        }
        return step
    }
    func backup(to path: String) async throws(DeskError) -> Int { throw .refused("no room for \(path)") }
    var fileBytes: Int { 4096 }
    let failure = Mutex<OutboxFailure?>(nil)
    var trouble: OutboxFailure? { failure.withLock { $0 } }
}

@Suite("The outbox's routes")
struct DeskAPITests {
    private let desk = NotingDesk()

    private func ask(_ method: Method, _ target: String, isAuthorized: Bool = true) async -> (status: Int, body: String)
    {
        let api = AdminAPI(
            health: Health { true }, registry: MetricsRegistry(), outbox: CountedOutbox(),
            desk: DeskAPI(desk: desk, conditions: nil) { "#\($0.value.utf8.count)" },
            admit: { _ in isAuthorized ? .granted : .unauthorized })
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let response = await api.respond(
            to: Request(method: method, path: parts[0], query: parts.count > 1 ? parts[1] : ""))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    @Test("need the token, and changes are made by POST alone")
    func authorization() async {
        for route in ["/outbox", "/outbox/profile", "/outbox/replay", "/outbox/discard", "/outbox/backup"] {
            #expect(await ask(.get, route, isAuthorized: false).status == 401)
            #expect(await ask(.post, route, isAuthorized: false).status == 401)
        }
        for route in ["/outbox/replay", "/outbox/discard", "/outbox/backup"] {
            #expect(await ask(.get, route).status == 405)
        }
        #expect(await ask(.post, "/outbox").status == 405)
        #expect(desk.places.isEmpty)
    }

    @Test("show a profile as the log does, also where the upstream quotes it, unless asked for it plain")
    func labels() async {
        let json = await ask(.get, "/outbox?state=dead").body
        #expect(json.contains(#""undelivered":0,"dead_letters":1"#) && json.contains(##""profile":"#3""##))
        #expect(!json.contains("ann"))
        let text = await ask(.get, "/outbox?text").body
        #expect(text.hasPrefix("1 undelivered, 1 dead letter.\n") && text.contains("2h 5m") && !text.contains("ann"))
        let plain = await ask(.get, "/outbox?text&plain").body
        #expect(plain.contains("not now, ann [2J") && !plain.contains("\u{1b}"))
    }

    @Test(
        "a query that is not understood is refused: it must not let everything through",
        arguments: [
            "", "limit=5", "text", "from=9.w.3.main", "stat=dead", "state=dedd", "older_than_ms=1h", "limit=-1",
            "from=x", "app=%zz", "app=%ff",
        ])
    func wrongQuery(query: String) async {
        #expect(await ask(.post, "/outbox/discard?" + query).status == 400)
        #expect(desk.places.isEmpty)
    }

    @Test("are not changed by a web page of a browser on the same machine")
    func webPage() async {
        let api = AdminAPI(
            health: Health { true }, registry: MetricsRegistry(), outbox: CountedOutbox(),
            desk: DeskAPI(desk: desk, conditions: nil) { $0.value }, admit: { _ in .granted })
        let headers = Headers([Field("Origin", "http://evil.example"), Field("Content-Type", "text/plain")])
        for route in ["/outbox/replay", "/outbox/discard", "/outbox/backup"] {
            let request = Request(method: .post, path: route, query: "state=dead", headers: headers)
            #expect(await api.respond(to: request).status == 403)
        }
        #expect(desk.places.isEmpty)
    }

    @Test("a change goes on where the last step says")
    func steps() async throws {
        func next(_ body: String) throws -> String {
            let prefix = #"{"changed":7,"superseded":0,"next":""#
            try #require(body.hasPrefix(prefix), "\(body)")
            return String(body.dropFirst(prefix.count).prefix { $0 != "\"" })
        }
        let first = try next(await ask(.post, "/outbox/replay?state=dead").body)
        #expect(await ask(.post, "/outbox/replay?state=dead&from=\(first)").body.contains(#""next":null"#))
        #expect(desk.places.map(\.letter) == ["", "0192"] && desk.places.map(\.app) == ["", nil])
        #expect(desk.places.last?.begun == Timestamp(milliseconds: 5))
        // Another change, or the same of something else, does not go on there.
        #expect(await ask(.post, "/outbox/discard?state=dead&from=\(first)").status == 400)
        #expect(await ask(.post, "/outbox/replay?state=missing&from=\(first)").status == 400)
        #expect(await ask(.post, "/outbox/replay?from=\(first)").status == 400)
        // As it is, or not at all.
        for end in [1, first.count / 2, first.count - 1] {
            #expect(await ask(.post, "/outbox/replay?state=dead&from=\(first.prefix(end))").status == 400)
        }
        #expect(desk.places.count == 2)
    }

    @Test(
        "a place that nobody was given is 400 in Adapty's shape, whatever it says",
        arguments: [
            "1.w.9223372036854775807.main", "1.w.-1.main", "9.w.3.main", "5.d.0192", "", "0", "00", "zz",
            "31207720392232333333332036383534373735383037", String(repeating: "f", count: 4000),
            String(repeating: "9", count: 40),
        ])
    func madeUp(place: String) async {
        for route in ["/outbox/replay", "/outbox/discard"] {
            let answer = await ask(.post, "\(route)?state=dead&from=\(place)")
            #expect(answer.status == 400)
            let body =
                #"{"errors":["from is no place that was given"],"error_code":"validation_error","status_code":400}"#
            #expect(answer.body == body)
        }
        #expect(desk.places.isEmpty)
    }

    @Test("numbers of any size are read or refused", arguments: ["older_than_ms", "newer_than_ms", "limit"])
    func numbers(name: String) async {
        for number in ["0", "1", "9007199254740992"] {
            #expect(await ask(.get, "/outbox?\(name)=\(number)").status == 200)
        }
        for number in [
            "-1", "9007199254740993", "9223372036854775807", "9223372036854775808", "1e3", "0x10", " 1", "",
            String(repeating: "9", count: 400),
        ] {
            #expect(await ask(.get, "/outbox?\(name)=\(number)").status == 400)
        }
    }

    @Test("where the outbox cannot be written, the list says so, why, and what to do")
    func trouble() async {
        desk.failure.withLock { $0 = .full("0 bytes free on the disk, 4194304 have to be") }
        let text = await ask(.get, "/outbox?text").body
        #expect(
            text.hasPrefix(
                """
                The outbox cannot be written, and every event is answered 503 until it can: \
                no room: 0 bytes free on the disk, 4194304 have to be.
                Make room on its disk
                """))
        let json = await ask(.get, "/outbox").body
        #expect(json.contains(#""writable":false,"trouble":"no room: 0 bytes free on the disk, 4194304 have to be""#))
        let nothing = await ask(.get, "/outbox?text&state=waiting").body
        #expect(nothing.hasPrefix("The outbox cannot be written"))
        desk.failure.withLock { $0 = nil }
        #expect(await ask(.get, "/outbox").body.contains(#""writable":true"#))
    }

    @Test("what cannot be done is said in a sentence")
    func refusals() async {
        #expect(await ask(.post, "/outbox/backup?path=relative.db").body.contains("path must be absolute"))
        #expect(await ask(.post, "/outbox/backup?path=%2Ftmp%2Fx").body.contains("no room for /tmp/x"))
        #expect(await ask(.get, "/outbox/profile?name=nobody").body.contains("no profile of that name is known"))
    }
}
