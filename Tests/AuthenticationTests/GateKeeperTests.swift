import Relay
import Testing

@testable import Authentication

struct GateKeeperTests {
    private static let acme = Source(name: "acme", vendor: "acme", app: "main")
    private static let open = Source(name: "open", vendor: "acme", app: "main")
    private static let forgotten = Source(name: "forgotten", vendor: "acme", app: "main")
    private static let ios = ClientKey(name: "ios", app: "main", scopes: [.write])
    private static let tool = ClientKey(name: "tool", app: "other", scopes: [.read])

    private let keeper = GateKeeper(
        schemes: ["acme": TokenScheme([Secret("canary-token")], in: .query("token")), "open": Anybody()],
        clientKeys: ClientKeys([
            (Self.ios, [Secret("canary-ios-1"), Secret("canary-ios-2")]), (Self.tool, [Secret("canary-tool")]),
        ]))

    private func authenticate(
        _ entrance: Entrance, method: Method = .post, query: String = "", authorization: String? = nil
    ) throws(Refusal) -> Caller {
        let headers = Headers(authorization.map { [Field("Authorization", $0)] } ?? [])
        var received = Received(Request(method: method, path: "/", query: query, headers: headers), through: entrance)
        return try keeper.authenticate(&received)
    }

    @Test("a hook is its source's, once its scheme is satisfied")
    func hook() throws {
        #expect(try authenticate(.hook(Self.acme), query: "token=canary-token") == .source(Self.acme))
        #expect(try authenticate(.hook(Self.open)) == .source(Self.open))
    }

    @Test("no stage behind sees the credential in the query")
    func stripped() throws {
        let request = Request(method: .get, path: "/hooks/acme", query: "adid=1&token=canary-token")
        var received = Received(request, through: .hook(Self.acme))
        _ = try keeper.authenticate(&received)
        #expect(received.request.query == "adid=1")
    }

    @Test(
        "a hook without the right credential is 401, with the cause for the log",
        arguments: [
            (Self.acme, "", "no_credential"), (Self.acme, "token=canary-guess", "wrong_credential"),
            (Self.acme, "token=canary-token&token=canary-token", "malformed_credential"),
            (Self.forgotten, "token=canary-token", "no_scheme"),
        ])
    func refusedHook(source: Source, query: String, cause: String) throws {
        let refusal = try #require(
            #expect(throws: Refusal.self) { try authenticate(.hook(source), query: query) })
        #expect(refusal.status == 401)
        #expect(refusal.message == "Invalid API key")
        #expect(refusal.cause == cause)
        #expect(!"\(refusal)".contains("canary"))
    }

    @Test(
        "two Authorization fields of a client app are 401, whichever of them is right",
        arguments: [["canary-ios-1", "canary-ios-1"], ["canary-ios-1", "x"], ["x", "canary-ios-1"]])
    func repeatedKey(keys: [String]) throws {
        let headers = Headers(keys.map { Field("Authorization", "Api-Key \($0)") })
        var received = Received(Request(method: .post, path: "/", headers: headers), through: .dropIn(.v2))
        let refusal = try #require(#expect(throws: Refusal.self) { try keeper.authenticate(&received) })
        #expect(refusal.status == 401)
        #expect(refusal.cause == "malformed_credential")
    }

    @Test("one blank or more stand between a scheme and its key", arguments: ["Api-Key", "Bearer", "bearer"])
    func blanks(scheme: String) throws {
        for blanks in [" ", "  ", "     "] {
            let caller = try authenticate(.dropIn(.v2), authorization: scheme + blanks + "canary-ios-1")
            #expect(caller == .client(Self.ios))
        }
    }

    @Test("a client key of one app does not open a hook")
    func keyAtHook() {
        #expect(throws: Refusal.self) { try authenticate(.hook(Self.acme), authorization: "Api-Key canary-ios-1") }
    }

    @Test(
        "a client is found by any of its keys, under either name of the scheme",
        arguments: [
            "Api-Key canary-ios-1", "Api-Key canary-ios-2", "Bearer canary-ios-1", "api-key canary-ios-1",
            "BEARER canary-ios-2", "Api-Key  canary-ios-1",
        ],
        [.client(vendor: "amplitude"), .dropIn(.v1), .dropIn(.v2)] as [Entrance])
    func client(authorization: String, entrance: Entrance) throws {
        #expect(try authenticate(entrance, authorization: authorization) == .client(Self.ios))
    }

    @Test(
        "a client without a known key is 401, with the cause for the log",
        arguments: [
            (nil, "no_credential"), ("", "malformed_credential"), ("Api-Key", "malformed_credential"),
            ("Api-Key ", "malformed_credential"), ("canary-ios-1", "malformed_credential"),
            ("Basic Y2FuYXJ5", "malformed_credential"), ("Api-Key canary-ios-3", "unknown_key"),
            ("Api-Key canary-ios", "unknown_key"), ("Api-Key canary-token", "unknown_key"),
            ("Api-Key canary-ios-1 canary-ios-2", "unknown_key"), ("Api-Key CANARY-IOS-1", "unknown_key"),
        ] as [(String?, String)])
    func refusedClient(authorization: String?, cause: String) throws {
        let refusal = try #require(
            #expect(throws: Refusal.self) { try authenticate(.dropIn(.v2), authorization: authorization) })
        #expect(refusal.cause == cause)
        #expect(refusal.headers == Refusal.unauthorized(cause: cause, challenge: "Api-Key, Bearer").headers)
        #expect(refusal.status == 401)
        #expect(refusal.message == "Invalid API key")
        #expect(!"\(refusal)".contains("anary"))
    }

    @Test("a key that is not known leaves its length and those of the keys that are, and nothing else")
    func evidence() throws {
        func evidence(_ tokenApps: Set<String>) throws -> Evidence? {
            let secrets = [Secret("canary-ios-1"), Secret("canary-ios-2")]
            let keys = ClientKeys([(Self.ios, secrets), (Self.tool, [Secret("canary-tool")])], tokenApps: tokenApps)
            let headers = Headers([Field("Authorization", "Api-Key canary-ios")])
            let request = Request(method: .post, path: "/", headers: headers)
            return try #require(#expect(throws: Refusal.self) { try keys.client(of: request) }).evidence
        }
        var expected = Evidence()
        expected.presentedBytes = 10
        expected.expectedBytes = [11, 12]
        #expect(try evidence([]) == expected)
        // Where only tokens are accepted, no key's length would help.
        expected.expectedBytes = [11]
        #expect(try evidence(["main"]) == expected)
    }

    @Test("POST needs the scope write, GET the scope read")
    func scopes() throws {
        #expect(
            try authenticate(.dropIn(.v2), method: .get, authorization: "Api-Key canary-tool") == .client(Self.tool))
        let noReader = #expect(throws: Refusal.self) {
            try authenticate(.dropIn(.v2), method: .get, authorization: "Api-Key canary-ios-1")
        }
        #expect(noReader?.status == 403 && noReader?.message == "This API key may not read.")
        let noWriter = #expect(throws: Refusal.self) {
            try authenticate(.dropIn(.v2), method: .post, authorization: "Api-Key canary-tool")
        }
        #expect(noWriter?.status == 403 && noWriter?.message == "This API key may not write.")
        // Who it is is known by then, and the log says so.
        #expect(noWriter?.caller == .client(Self.tool) && noWriter?.cause == "missing_scope")
    }

    @Test("an empty client key lets nobody in")
    func emptyKey() {
        let keeper = GateKeeper(schemes: [:], clientKeys: ClientKeys([(Self.ios, [Secret("")])]))
        for value in ["Api-Key ", "Api-Key  ", "Bearer "] {
            var received = Received(
                Request(method: .post, path: "/", headers: Headers([Field("Authorization", value)])),
                through: .dropIn(.v2))
            #expect(throws: Refusal.self) { try keeper.authenticate(&received) }
        }
    }

    @Test("the challenge says what would be accepted")
    func challenge() throws {
        let basic = GateKeeper(
            schemes: ["acme": BasicScheme([Secret("user:password")])], clientKeys: ClientKeys([]))
        var received = Received(Request(method: .post, path: "/"), through: .hook(Self.acme))
        let refusal = try #require(#expect(throws: Refusal.self) { try basic.authenticate(&received) })
        #expect(refusal.headers == [Field("WWW-Authenticate", #"Basic realm="patchbay", charset="UTF-8""#)])
    }

    @Test("a refused hook leaves the digest of the body as it was sent, and an accepted one only its content")
    func bodies() throws {
        func received(_ query: String) -> Received {
            var request = Request(method: .post, path: "/hooks/acme", query: query, body: Array("plain".utf8))
            request.compressedBody = Array("abc".utf8)
            return Received(request, through: .hook(Self.acme))
        }
        var wrong = received("token=wrong")
        let refusal = try #require(#expect(throws: Refusal.self) { try keeper.authenticate(&wrong) })
        // FIPS 180-2, appendix B.1.
        #expect(refusal.evidence?.bodyDigest == "ba7816bf8f01cfea")
        #expect(refusal.evidence?.presentedBytes == 5)
        var right = received("token=canary-token")
        _ = try keeper.authenticate(&right)
        #expect(right.request.compressedBody == nil)
    }
}
