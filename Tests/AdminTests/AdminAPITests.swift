import Admin
import Relay
import Testing

struct CountedOutbox: Outbox {
    func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition] { [] }
    func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim {
        Claim(deliveries: [], nextDue: nil, hasMore: false)
    }
    func settle(_ delivery: Delivery, as settlement: Settlement) {}
    func census() async -> [Census] {
        [
            Census(app: "main", waiting: 12, oldestAge: .milliseconds(90_500), deadLetters: 3),
            Census(app: "idle", waiting: 0),
        ]
    }
    var isWritable: Bool { true }
}

@Suite("The admin API")
struct AdminAPITests {
    private func respond(_ method: Method, _ path: String, isAuthorized: Bool = true) async -> Response {
        let api = AdminAPI(
            health: Health { true }, registry: MetricsRegistry(), outbox: CountedOutbox(),
            desk: DeskAPI(desk: NotingDesk(), conditions: nil) { $0.value },
            admit: { _ in isAuthorized ? .granted : .unauthorized })
        let now = Timestamp(milliseconds: 1_790_000_090_500)
        return await api.respond(to: Request(method: method, path: path, received: now))
    }

    @Test("metrics tell what waits, since when, and what will not be tried again")
    func metrics() async {
        let response = await respond(.get, "/metrics")
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == 200)
        #expect(text.contains(#"patchbay_profiles_waiting{app="main"} 12"#))
        #expect(text.contains(#"patchbay_oldest_waiting_seconds{app="main"} 90.5"#))
        #expect(text.contains(#"patchbay_oldest_waiting_seconds{app="idle"} 0"#))
        #expect(text.contains(#"patchbay_dead_letters{app="main"} 3"#))
        #expect(text.contains("patchbay_outbox_writable 1\n"))
        #expect(text.contains("# HELP patchbay_profiles_waiting "))
    }

    @Test("metrics need the token; health does not")
    func authorization() async {
        let refused = await respond(.get, "/metrics", isAuthorized: false)
        #expect(refused.status == 401)
        #expect(refused.headers.contains(Field("WWW-Authenticate", "Bearer")))
        #expect(await respond(.get, "/rejected", isAuthorized: false).status == 401)
        #expect(await respond(.get, "/rejected").status == 200)
        #expect(await respond(.get, "/livez", isAuthorized: false).status == 200)
        #expect(await respond(.get, "/readyz", isAuthorized: false).status == 503)
    }

    @Test("anything else is not there, and nothing can be written")
    func others() async {
        #expect(await respond(.get, "/").status == 404)
        #expect(await respond(.get, "/hooks/af").status == 404)
        #expect(await respond(.post, "/metrics").status == 405)
    }
}
