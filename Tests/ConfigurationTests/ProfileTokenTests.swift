import Relay
import Testing

@testable import Configuration

struct ProfileTokenTests {
    private static let pem = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzoqocOVDC4HQKVeClvkXY7eesKmX+HanjRTfrEsg24ZLzTpQ3Aw5RrDYvGfJ/fUMHcweG2OXNoRCIHGNOK7MSA==
        -----END PUBLIC KEY-----

        """
    private static let surroundings = Surroundings.fake(
        [
            "SIGNING": "canary7f3a-0123456789-0123456789-0", "SHORT": "canary7f3a-0123456789-012345678", "PEM": pem,
            "PRIVATE": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----\n",
        ],
        files: [
            "/key.pem": pem, "/two.pem": pem + pem, "/jwks.json": #"{"keys":[]}"#, "/junk": "canary7f3a",
            "/cert.pem": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        ])

    /// An issuer with these keys more, on lines 4 and 5.
    private static func issuer(_ keys: String, _ name: String = "backend") -> String {
        minimal + "profile_tokens:\n  \(name): { app: main, audience: patchbay, \(keys) }\n"
    }

    @Test("an issuer is read, with what is left out by default")
    func read() throws {
        let issuer = try load(Self.issuer("key: env:SIGNING, algorithms: HS256"), in: Self.surroundings)
            .profileTokens[0]
        #expect(issuer.name == "backend" && issuer.app == "main" && issuer.algorithms == [.hs256])
        #expect(issuer.issuer == nil && issuer.audience == ["patchbay"] && issuer.scopes == [.write])
        #expect(issuer.customerUserID == "sub" && issuer.profileID == nil)
        #expect(issuer.leeway == .seconds(30) && issuer.refresh == .seconds(600) && issuer.line == 5)
        guard case .secrets(let secrets) = issuer.keys else {
            Issue.record("\(issuer.keys)")
            return
        }
        #expect(secrets.count == 1)
    }

    @Test("public keys are read from files and variables, key sets from files; URLs are kept")
    func keys() throws {
        func keys(_ yaml: String) throws -> ProfileTokenConfiguration.Keys {
            try load(Self.issuer(yaml), in: Self.surroundings).profileTokens[0].keys
        }
        let trimmed = String(Self.pem.dropLast())
        guard case .pems(let pems) = try keys("key: [file:/key.pem, env:PEM], algorithms: [ES256, RS256]") else {
            Issue.record("no PEM")
            return
        }
        #expect(pems.map { $0.value.trimmingBlanks } == [trimmed[...], trimmed[...]] && pems.map(\.line) == [5, 5])
        guard case .keySet(let bytes) = try keys("jwks: file:/jwks.json, algorithms: EdDSA") else {
            Issue.record("no key set")
            return
        }
        #expect(bytes == Array(#"{"keys":[]}"#.utf8))
        for url in ["https://auth.example.com/keys/", "http://127.0.0.1:9/k", "http://localhost/k"] {
            guard case .published(url) = try keys("jwks: \"\(url)\", algorithms: [RS256]") else {
                Issue.record("\(url)")
                return
            }
        }
    }

    @Test("a secret is masked in what is in effect")
    func masked() throws {
        let shown = try load(Self.issuer("key: env:SIGNING, algorithms: HS256"), in: Self.surroundings).effective
        #expect(shown.contains("key: [<secret> from env:SIGNING]"))
        #expect(!shown.contains(Surroundings.canary))
    }

    @Test(
        "what would let strangers in, or nobody, is a mistake with its line",
        arguments: [
            ("algorithms: [HS256]", "line 5: profile_tokens.backend.key: there must be a key or jwks here"),
            ("algorithms: [HS256], key: []", "line 5: profile_tokens.backend.key: this list is empty"),
            ("key: env:SIGNING", "line 5: profile_tokens.backend.algorithms: this is missing"),
            ("key: env:SIGNING, algorithms: []", "line 5: profile_tokens.backend.algorithms: this list is empty"),
            (
                "key: env:PEM, algorithms: [none]",
                "line 5: profile_tokens.backend.algorithms: this is not one of HS256, RS256, ES256, EdDSA"
            ),
            (
                "key: env:SIGNING, algorithms: [HS256, RS256]",
                "line 5: profile_tokens.backend.algorithms: HS256 needs an issuer of its own: its key is a secret, "
                    + "and theirs are public"
            ),
            (
                "jwks: file:/jwks.json, algorithms: [HS256]",
                "line 5: profile_tokens.backend.algorithms: HS256 needs a key; what jwks holds is public"
            ),
            (
                "jwks: file:/jwks.json, key: env:PEM, algorithms: [RS256]",
                "line 5: profile_tokens.backend.key: there is jwks as well; one of the two must go"
            ),
            (
                "key: env:SHORT, algorithms: [HS256]",
                "line 5: profile_tokens.backend.key: the secret of HS256 must have at least 32 bytes"
            ),
            (
                "key: file:/key.pem, algorithms: [HS256]",
                "line 5: profile_tokens.backend.key: the secret in file:/key.pem has a control character in it"
            ),
            (
                "key: env:SIGNING, algorithms: [ES256]",
                "line 5: profile_tokens.backend.key: this is not one public key in PEM"
            ),
            (
                "key: file:/two.pem, algorithms: [ES256]",
                "line 5: profile_tokens.backend.key: this is not one public key in PEM"
            ),
            (
                "key: env:PRIVATE, algorithms: [ES256]",
                "line 5: profile_tokens.backend.key: this is a private key, which only the issuer may hold; "
                    + "give the public one"
            ),
            (
                "key: file:/cert.pem, algorithms: [ES256]",
                "line 5: profile_tokens.backend.key: this is a certificate; give its public key"
            ),
            (
                "key: canary7f3a, algorithms: [ES256]",
                "line 5: profile_tokens.backend.key: a secret never stands in this file itself; "
                    + "write env:NAME or file:PATH"
            ),
            (
                "jwks: http://auth.example.com/jwks, algorithms: [RS256]",
                "line 5: profile_tokens.backend.jwks: keys from off this machine must come by https"
            ),
            (
                "jwks: 'https://u:p@auth.example.com/', algorithms: [RS256]",
                "line 5: profile_tokens.backend.jwks: this is not file:PATH or a URL such as "
                    + "https://auth.example.com/jwks.json"
            ),
            (
                "jwks: file:/no, algorithms: [RS256]",
                "line 5: profile_tokens.backend.jwks: the file /no cannot be read: open: 2 No such file or directory"
            ),
            (
                "key: env:PEM, algorithms: [ES256], leeway: 11m",
                "line 5: profile_tokens.backend.leeway: this is more than 10m; set the clocks instead"
            ),
            (
                "key: env:PEM, algorithms: [ES256], refresh: 999ms",
                "line 5: profile_tokens.backend.refresh: this is not from 1s to 24h"
            ),
            (
                "key: env:PEM, algorithms: [ES256], scopes: []",
                "line 5: profile_tokens.backend.scopes: there must be at least one of write, read"
            ),
        ])
    func keyMistakes(_ keys: String, _ mistake: String) {
        let found = wrong(in: Self.issuer(keys))
        #expect(found == [mistake])
        #expect(!found.joined().contains(Surroundings.canary))
    }

    @Test("the audience is required, and the app must exist")
    func required() {
        let yaml = minimal + "profile_tokens:\n  backend: { app: man, key: env:SIGNING, algorithms: [HS256] }\n"
        #expect(
            wrong(in: yaml) == [
                "line 5: profile_tokens.backend.app: there is no app of this name; did you mean \"main\"?",
                "line 5: profile_tokens.backend.audience: this is missing",
            ])
    }

    @Test("an app that requires tokens must have an issuer")
    func requiring() throws {
        let requiring = minimal + "    require_profile_token: true\n"
        #expect(
            wrong(in: requiring) == [
                "line 1: profile_tokens: the app main requires a profile token, and nothing here issues one for it"
            ])
        let issuer = "profile_tokens: { b: { app: main, audience: a, key: env:SIGNING, algorithms: HS256 } }\n"
        #expect(try load(requiring + issuer, in: Self.surroundings).apps[0].requiresProfileToken)
        #expect(try !load(minimal, in: Self.surroundings).apps[0].requiresProfileToken)
        #expect(
            wrong(in: minimal + "    require_profile_token: yes\n") == [
                "line 4: apps.main.require_profile_token: this is not true or false"
            ])
    }

    @Test("a name is one caller's, and a secret has one use")
    func shared() {
        let issuer = Self.issuer("key: env:SIGNING, algorithms: HS256")
        #expect(
            wrong(in: issuer + "client_keys: { backend: { app: main, key: env:CLIENT } }\n") == [
                "line 5: profile_tokens.backend: a client key has this name too"
            ])
        #expect(
            wrong(in: issuer + "client_keys: { ios: { app: main, key: env:SIGNING } }\n") == [
                "line 5: profile_tokens.backend.key: this is the same secret as client_keys.ios.key"
            ])
    }

    private func wrong(in yaml: String) -> [String] { mistakes(in: yaml, Self.surroundings) }
}
