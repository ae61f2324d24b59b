import Relay
import Testing

@testable import Authentication

struct TokenSchemeTests {
    private static let inQuery = TokenScheme([Secret("s3cret/+="), Secret("older")], in: .query("token"))

    private func verify(_ scheme: some Scheme, query: String = "", headers: [Field] = []) -> (Verdict, String) {
        var request = Request(method: .post, path: "/hooks/acme", query: query, headers: Headers(headers))
        return (scheme.verify(&request).bare, request.query)
    }

    @Test(
        "a token in the path is judged, and is gone from the path that goes on",
        arguments: [
            ("/hooks/acme/older", .genuine), ("/hooks/acme/older/", .genuine), ("/hooks/acme/a%2Fb%2Bc", .genuine),
            ("/hooks/acme/%6flder", .genuine),
            ("/hooks/acme/olde", .refused(.wrongCredential)), ("/hooks/acme/older//", .genuine),
            ("/hooks/acme/older/x", .refused(.wrongCredential)), ("/hooks/acme//older", .genuine),
            ("/hooks/acme/OLDER", .refused(.wrongCredential)), ("/hooks/acme", .refused(.noCredential)),
            ("/hooks/acme/", .refused(.noCredential)),
        ] as [(String, Verdict)])
    func path(path: String, verdict: Verdict) {
        var request = Request(method: .post, path: path)
        let scheme = TokenScheme([Secret("a/b+c"), Secret("older")], in: .path)
        #expect(scheme.verify(&request).bare == verdict)
        #expect(request.path == "/hooks/acme")
    }

    @Test("what is not believed leaves its lengths, and nothing else")
    func evidence() {
        var request = Request(method: .post, path: "/", headers: Headers([Field("X-Api-Key", "canary-1")]))
        let scheme = TokenScheme([Secret("canary"), Secret("older")], in: .header("x-api-key", prefix: ""))
        guard case .refused(.wrongCredential, let evidence) = scheme.verify(&request) else {
            Issue.record("this is the wrong credential")
            return
        }
        var expected = Evidence()
        expected.presentedBytes = 8
        expected.expectedBytes = [6, 5]
        #expect(evidence == expected)
    }

    @Test(
        "a token in the query is judged, and is gone from the query that goes on",
        arguments: [
            ("token=older", .genuine, ""),
            ("token=s3cret/+=", .genuine, ""),
            ("token=s3cret%2F%2B%3D", .genuine, ""),
            ("%74oken=%6flder", .genuine, ""),
            ("%74%6F%6b%65%6E=older", .genuine, ""),
            ("a=1&token=older&b=%202", .genuine, "a=1&b=%202"),
            ("token=older&&a", .genuine, "&a"),
            ("a=%zz&token=older", .genuine, "a=%zz"),
            ("token=wrong&a=1", .refused(.wrongCredential), "a=1"),
            ("token=Older", .refused(.wrongCredential), ""),
            ("token=older%20", .refused(.wrongCredential), ""),
            ("token=older%00", .refused(.wrongCredential), ""),
            ("token=olde", .refused(.wrongCredential), ""),
            ("token=", .refused(.noCredential), ""),
            ("token", .refused(.noCredential), ""),
            ("", .refused(.noCredential), ""),
            ("a=token=older", .refused(.noCredential), "a=token=older"),
            ("Token=older", .refused(.noCredential), "Token=older"),
            ("tokens=older", .refused(.noCredential), "tokens=older"),
            ("token=older&token=older", .refused(.malformedCredential), ""),
            ("token=wrong&a=1&%74oken=older", .refused(.malformedCredential), "a=1"),
            ("token=&token=older", .refused(.malformedCredential), ""),
            // A URL escaped for HTML, and one that was appended to although it had a query.
            ("a=1&amp;token=older", .genuine, "a=1"),
            ("token=older&amp;a=1", .genuine, "a=1"),
            ("token=older?a=1&b=2", .genuine, "a=1&b=2"),
            ("a=1?token=older", .genuine, "a=1"),
            ("?token=older", .genuine, ""),
            ("a=1?token=older?token=older", .refused(.malformedCredential), "a=1"),
            ("token=wrong?a=1", .refused(.wrongCredential), "a=1"),
            ("a=https://x/?token=older", .refused(.noCredential), "a=https://x/?token=older"),
        ] as [(String, Verdict, String)])
    func query(query: String, verdict: Verdict, rest: String) {
        #expect(verify(Self.inQuery, query: query) == (verdict, rest))
    }

    @Test(
        "a token in a header stands behind its prefix",
        arguments: [
            ("X-Api-Key", "", "X-Api-Key", "older", .genuine),
            ("X-Api-Key", "", "x-api-key", "older", .genuine),
            ("X-Api-Key", "", "X-Api-Key", "", .refused(.noCredential)),
            ("X-Api-Key", "", "X-Other", "older", .refused(.noCredential)),
            ("X-Api-Key", "", "X-Api-Key", "Bearer older", .refused(.wrongCredential)),
            ("Authorization", "Bearer ", "Authorization", "Bearer older", .genuine),
            ("Authorization", "Bearer ", "Authorization", "bEARER older", .genuine),
            ("Authorization", "Bearer ", "Authorization", "Bearer  older", .genuine),
            ("Authorization", "Bearer ", "Authorization", "bearer    older", .genuine),
            ("Authorization", "Bearer ", "Authorization", "Bearer\tolder", .refused(.malformedCredential)),
            ("Authorization", "Bearer ", "Authorization", "Bearer ", .refused(.noCredential)),
            ("Authorization", "Bearer ", "Authorization", "older", .refused(.malformedCredential)),
            ("Authorization", "Bearer ", "Authorization", "Bea", .refused(.malformedCredential)),
            ("Authorization", "Bearer ", "Authorization", "Bearer OLDER", .refused(.wrongCredential)),
        ] as [(String, String, String, String, Verdict)])
    func header(name: String, prefix: String, sent: String, value: String, verdict: Verdict) {
        let scheme = TokenScheme([Secret("newer"), Secret("older")], in: .header(name, prefix: prefix))
        #expect(verify(scheme, query: "a=1", headers: [Field(sent, value)]) == (verdict, "a=1"))
    }

    @Test(
        "a token's header that stands twice is refused, whichever of the two is right",
        arguments: [["older", "older"], ["older", "wrong"], ["wrong", "older"], ["", "older"], ["older", ""]])
    func repeatedHeader(values: [String]) {
        let scheme = TokenScheme([Secret("older")], in: .header("X-Api-Key", prefix: ""))
        let headers = zip(["X-Api-Key", "x-api-key"], values).map { Field($0, $1) }
        #expect(verify(scheme, headers: headers).0 == .refused(.malformedCredential))
    }

    @Test("an empty secret lets nobody in", arguments: ["token=", "token", "token=x", ""])
    func empty(query: String) {
        for secrets in [[], [Secret("")]] {
            let (verdict, _) = verify(TokenScheme(secrets, in: .query("token")), query: query)
            #expect(verdict != .genuine)
        }
    }
}

struct KnownSecretsTests {
    @Test("every secret is compared, whichever of them matches", arguments: ["first", "middle", "last", "none"])
    func allCompared(presented: String) {
        let secrets = KnownSecrets([Secret("first"), Secret("middle"), Secret("last")])
        var comparisons = 0
        let place = secrets.place(of: Array(presented.utf8)[...]) { left, right in
            comparisons += 1
            return left == right
        }
        #expect(comparisons == 3)
        #expect(place == ["first": 1, "middle": 2, "last": 3][presented])
        #expect(secrets.contains(Array(presented.utf8)[...]) == (presented != "none"))
    }

    @Test("nothing of a secret is to be seen in what keeps it")
    func opaque() {
        let canary = "canary-5d1f"
        let scheme = TokenScheme([Secret(canary)], in: .query("token"))
        var dumped = "\(scheme) \(String(reflecting: scheme))"
        dump(scheme, to: &dumped)
        #expect(!dumped.contains(canary))
    }
}
