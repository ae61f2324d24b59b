import Relay
import Testing

@Suite("The public API: pages of other origins")
struct CrossOriginTests {
    private static let shop = "https://shop.example.com"
    private static let blog = "https://blog.example.com"
    private static let partner = "https://partner.example.com"

    /// The client key is for the shop's pages; another key is for the blog's.
    private func api(_ stages: FakeStages = FakeStages(), clientOrigins: [String] = [shop, blog]) -> PublicAPI {
        var stages = stages
        stages.client = ClientKey(
            name: "web", app: "main", scopes: [.write, .read],
            origins: Origins(clientOrigins.isEmpty ? [] : [Self.shop]))
        let intake = Intake(
            authenticator: stages, limiter: stages, normalizer: stages, outbox: stages,
            apps: ["main": App(version: .v2, reader: stages)])
        let health = Health { true }
        health.serve()
        return PublicAPI(
            intake: intake,
            sources: [
                "af": Source(name: "af", vendor: "appsflyer", app: "main"),
                "page": Source(name: "page", vendor: "appsflyer", app: "main", origins: Origins([Self.partner])),
            ],
            normalizer: stages, answers: Answers(clock: ContinuousClock()), health: health,
            clientOrigins: Origins(clientOrigins))
    }

    private func request(
        _ method: Relay.Method, _ path: String, _ origin: String?, _ more: [Field] = []
    ) -> Request {
        let fields = [Field("Prefer", "respond-async")] + (origin.map { [Field("Origin", $0)] } ?? []) + more
        return Request(method: method, path: path, headers: Headers(fields), body: method == .post ? [1] : [])
    }

    private static let clientPaths = ["/client/branch", "/client/branch/", DropInPath.v2, DropInPath.v1 + "/"]

    @Test("a preflight of a page that some key is for is 204 with what it may send, without a credential")
    func preflight() async {
        var stages = FakeStages()
        stages.authentication = .unauthorized(cause: "nobody is asked")
        for path in Self.clientPaths {
            for origin in [Self.shop, Self.blog] {
                let asked = [
                    Field("Access-Control-Request-Method", "POST"),
                    Field("Access-Control-Request-Headers", "authorization,content-type,adapty-customer-user-id"),
                ]
                let answer = await api(stages).respond(to: request(.options, path, origin, asked))
                #expect(answer.status == 204 && answer.body.isEmpty)
                #expect(answer.header("Access-Control-Allow-Origin") == origin)
                #expect(
                    answer.header("Access-Control-Allow-Methods") == (path == DropInPath.v2 ? "GET, POST" : "POST"))
                #expect(
                    answer.header("Access-Control-Allow-Headers")
                        == "authorization,content-type,adapty-customer-user-id")
                #expect(answer.header("Access-Control-Max-Age") == "7200")
                #expect(answer.header("Vary")?.hasPrefix("Origin, ") == true)
                #expect(answer.header("Access-Control-Allow-Credentials") == nil)
            }
        }
    }

    @Test(
        "a preflight of any other page is 403 and allows nothing, be it close to one that is let in",
        arguments: [
            "https://shop.example.com:443", "https://shop.example.com/", "http://shop.example.com",
            "https://SHOP.example.com", "https://shop.example.com.evil.example", "https://evil.shop.example.com",
            "https://shop.example.co", "null", "*", "", "https://partner.example.com",
        ])
    func otherPages(_ origin: String) async {
        for path in Self.clientPaths {
            let answer = await api().respond(
                to: request(.options, path, origin, [Field("Access-Control-Request-Method", "POST")]))
            #expect(answer.status == 403 && answer.header("Vary")?.hasPrefix("Origin") == true)
            #expect(!answer.headers.contains { $0.name.hasPrefix("Access-Control") })
            #expect(answer.account.refusal == "forbidden" && answer.account.cause == "origin_not_allowed")
        }
    }

    @Test("what is no preflight, and where there are none, is answered as any wrong method or path is")
    func noPreflight() async {
        #expect(await api().respond(to: request(.options, "/client/branch", nil)).status == 405)
        #expect(await api().respond(to: request(.options, "/hooks/af", Self.partner)).status == 405)
        #expect(await api().respond(to: request(.options, "/livez", Self.shop)).status == 405)
        for path in ["/client/nobody", "/hooks/nobody", "/"] {
            #expect(await api().respond(to: request(.options, path, Self.shop)).status == 404)
        }
        // No key is for any page.
        let answer = await api(clientOrigins: []).respond(to: request(.options, "/client/branch", Self.shop))
        #expect(answer.status == 403)
    }

    @Test(
        "fields that are asked for and are no names of fields are not repeated", arguments: ["a\r\nb: c", "a;b", "é"])
    func strangeFields(_ fields: String) async {
        let answer = await api().respond(
            to: request(.options, "/client/branch", Self.shop, [Field("Access-Control-Request-Headers", fields)]))
        #expect(answer.status == 204 && answer.header("Access-Control-Allow-Headers") == nil)
    }

    @Test("a request is held against its own key's origins, whatever others allow; without an Origin it is as ever")
    func ownKey() async {
        let stages = FakeStages()
        for path in Self.clientPaths {
            let answer = await api(stages).respond(to: request(.post, path, Self.shop))
            #expect(answer.status == 202)
            #expect(answer.header("Access-Control-Allow-Origin") == Self.shop && answer.header("Vary") == "Origin")
            #expect(
                answer.header("Access-Control-Expose-Headers") == "X-Request-Id, Retry-After, Preference-Applied")
            let plain = await api(stages).respond(to: request(.post, path, nil))
            #expect(plain.status == 202 && plain.header("Access-Control-Allow-Origin") == nil)
        }
        #expect(await api(stages).respond(to: request(.get, DropInPath.v2, Self.shop)).status == 200)
        let stored = stages.submitted.all.count
        for origin in [Self.blog, "https://evil.example", "null", ""] {
            for method in [Relay.Method.post, .get] {
                let answer = await api(stages).respond(to: request(method, DropInPath.v2, origin))
                #expect(answer.status == 403 && answer.account.cause == "origin_not_allowed")
                #expect(answer.account.caller == "web")
                let shown = answer.header("Access-Control-Allow-Origin")
                #expect(shown == (origin == Self.blog ? Self.blog : nil))
            }
            #expect(api(stages).answerEarly(request(.post, DropInPath.v2, origin))?.status == 403)
        }
        let twice = request(.post, DropInPath.v2, Self.shop, [Field("origin", Self.shop)])
        #expect(await api(stages).respond(to: twice).status == 403)
        #expect(stages.submitted.all.count == stored)
        // A key that is for no page at all.
        #expect(
            await api(stages, clientOrigins: []).respond(to: request(.post, DropInPath.v2, Self.shop)).status == 403)
    }

    @Test("a page can read why it is refused", arguments: [401, 413, 429, 503])
    func errors(_ status: Int) async {
        var stages = FakeStages()
        let refusal = Refusal(status, "some", "Some words.", headers: [Field("Retry-After", "7")])
        switch status {
        case 401: stages.authentication = refusal
        case 429: stages.limit = refusal
        case 503: stages.storing = .unavailable("disk")
        default: stages.reading = refusal
        }
        for (path, origin) in [
            ("/client/branch", Self.shop), (DropInPath.v2, Self.shop), ("/hooks/page", Self.partner),
        ] {
            let asked = request(.post, path, origin)
            var answers = [
                await api(stages).respond(to: asked),
                // What the listener refuses itself.
                api(stages).answer(refusal, to: asked, isWhole: true),
            ]
            if let early = api(stages).answerEarly(asked) { answers.append(early) }
            for answer in answers {
                #expect(answer.status == status)
                #expect(answer.header("Access-Control-Allow-Origin") == origin && answer.header("Vary") == "Origin")
                #expect(answer.header("Access-Control-Expose-Headers")?.contains("Retry-After") == true)
            }
        }
    }

    @Test("a source is for its own pages alone, and one without any does not look at origins")
    func sources() async {
        let allowed = await api().respond(to: request(.options, "/hooks/page", Self.partner))
        #expect(allowed.status == 204)
        #expect(allowed.header("Access-Control-Allow-Methods")?.hasPrefix("GET, POST, PUT") == true)
        #expect(await api().respond(to: request(.options, "/hooks/page", Self.shop)).status == 403)
        let answer = await api().respond(to: request(.post, "/hooks/page", Self.partner))
        #expect(answer.status == 200 && answer.header("Access-Control-Allow-Origin") == Self.partner)
        #expect(await api().respond(to: request(.post, "/hooks/page", nil)).status == 200)
        #expect(await api().respond(to: request(.post, "/hooks/page", Self.shop)).status == 403)
        let other = await api().respond(to: request(.post, "/hooks/af", "https://evil.example"))
        #expect(other.status == 200)
        #expect(!other.headers.contains { $0.name.hasPrefix("Access-Control") || $0.name == "Vary" })
    }
}
