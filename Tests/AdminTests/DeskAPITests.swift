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
    func steps() async {
        let first = await ask(.post, "/outbox/replay?state=dead")
        #expect(first.body == #"{"changed":7,"superseded":0,"next":"5.d.0192"}"# + "\n")
        #expect(await ask(.post, "/outbox/replay?state=dead&from=5.d.0192").body.contains(#""next":null"#))
        #expect(await ask(.post, "/outbox/replay?from=9.w.3.main").status == 200)
        #expect(desk.places.map(\.letter) == ["", "0192", ""] && desk.places.map(\.app) == ["", nil, "main"])
        #expect(desk.places.map(\.part) == [0, 0, 3])
    }

    @Test("what cannot be done is said in a sentence")
    func refusals() async {
        #expect(await ask(.post, "/outbox/backup?path=relative.db").body.contains("path must be absolute"))
        #expect(await ask(.post, "/outbox/backup?path=%2Ftmp%2Fx").body.contains("no room for /tmp/x"))
        #expect(await ask(.get, "/outbox/profile?name=nobody").body.contains("no profile of that name is known"))
    }
}
