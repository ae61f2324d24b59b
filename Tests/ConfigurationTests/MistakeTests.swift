import Testing

@testable import Configuration

/// A text and everything that is wrong with it.
struct Wanting: Sendable, CustomTestStringConvertible {
    let yaml: String
    let mistakes: [String]

    init(_ yaml: String, _ mistakes: String...) {
        self.yaml = yaml
        self.mistakes = mistakes
    }

    /// With an app before it, on lines 1 to 3; the text begins on line 4.
    static func after(_ yaml: String, _ mistakes: String...) -> Wanting {
        Wanting(yaml: minimal + yaml, mistakes: mistakes)
    }

    private init(yaml: String, mistakes: [String]) {
        self.yaml = yaml
        self.mistakes = mistakes
    }

    var testDescription: String { mistakes.first ?? yaml }
}

/// Every way to prove oneself.
private let everyProof = "token, basic, hmac, ed25519, standard_webhooks, svix, stripe, github, slack, shopify"

struct MistakeTests {
    private func check(_ wanting: Wanting) {
        let found = mistakes(in: wanting.yaml)
        #expect(found == wanting.mistakes)
        #expect(!found.joined().contains(Surroundings.canary))
    }

    @Test(
        "what is not YAML is told with its line",
        arguments: [
            Wanting(
                "listen: 127.0.0.1:8080\nadmin: { listen: 127.0.0.1:1\nloops: 4\n",
                "line 3: this is not YAML: did not find expected ',' or '}'"),
            Wanting(
                "listen: canary7f3a: b\n", "line 1: this is not YAML: mapping values are not allowed in this context"),
            Wanting(
                "apps:\n\tmain: canary7f3a\n",
                "line 2: this is not YAML: found character that cannot start any token"),
            Wanting("a: 1\nb: \u{1}\n", "line 2: this is not YAML: control characters are not allowed"),
            Wanting("a: *x\n", "line 1: this is not YAML: found undefined alias"),
            Wanting("a: &a 1\n? *a\n: 2\n", "line 2: an alias (*name) cannot stand in a key"),
            Wanting("a: &a b\n*a : 2\n", "line 2: an alias (*name) cannot stand in a key"),
            Wanting("a: &a [1]\nb: {c: 1, *a : 2}\n", "line 2: an alias (*name) cannot stand in a key"),
            Wanting("a: &a [1]\nb: {\n  *a }\n", "line 3: an alias (*name) cannot stand in a key"),
            Wanting("a: &a [1]\nb: {[*a]: 2}\n", "line 2: an alias (*name) cannot stand in a key"),
            Wanting("a: 1\n---\nb: 1\n", "line 2: this is not YAML: but found another document"),
            Wanting(
                minimal + "limits:\n  source: 1/s\n  source: 2/s\n",
                "line 5: the key source stands more than once here"),
            Wanting(
                "vendors:\n  1: {}\n  \"1\": {}\n", "line 3: this key stands more than once here"),
            Wanting("? [a, b]\n: c\n", "line 1: a key must be text"),
            Wanting(
                "canary7f3a\n", "line 1: this must be a mapping, of keys and values",
                "line 1: apps: there must be at least one app"),
            Wanting("", "line 1: apps: there must be at least one app"),
            Wanting("apps:\n", "line 1: apps: there must be at least one app"),
            Wanting("apps: {}\n", "line 1: apps: there must be at least one app"),
        ])
    func yaml(wanting: Wanting) { check(wanting) }

    @Test(
        "an unknown key is a mistake, with what was probably meant",
        arguments: [
            .after("lisen: 127.0.0.1:1\n", "line 4: lisen: there is no such key; did you mean \"listen\"?"),
            .after("colour: red\n", "line 4: colour: there is no such key"),
            .after(
                "limits: { clinet_ip: 1/s }\n",
                "line 4: limits.clinet_ip: there is no such key; did you mean \"client_ip\"?"),
            .after("<<: { a: b }\n", "line 4: there is a key here that does not exist"),
            .after("canary7f3a:\n", "line 4: there is a key here that does not exist"),
            .after("log: { canary7f3a }\n", "line 4: log: there is a key here that does not exist"),
            Wanting(
                "apps:\n  main:\n    secretkey: env:KEY\n",
                "line 2: apps.main.secret_key: this is missing",
                "line 3: apps.main.secretkey: there is no such key; did you mean \"secret_key\"?"),
            Wanting(
                minimal + "    rate: { per_minut: 3 }\n",
                "line 4: apps.main.rate.per_minut: there is no such key; did you mean \"per_minute\"?"),
        ])
    func unknown(wanting: Wanting) { check(wanting) }

    @Test(
        "a secret is found, or its absence is a mistake that never shows one",
        arguments: [
            Wanting(
                "apps:\n  main:\n    secret_key: env:ADAPTY_SECRET_KEY\n",
                "line 3: apps.main.secret_key: the environment variable ADAPTY_SECRET_KEY is not set"),
            Wanting(
                "apps:\n  main:\n    secret_key: [env:KEY,\n      env:EMPTY]\n",
                "line 4: apps.main.secret_key: the environment variable EMPTY is empty"),
            Wanting(
                "apps:\n  main:\n    secret_key: env:BLANK\n",
                "line 3: apps.main.secret_key: the environment variable BLANK is empty"),
            Wanting(
                "apps:\n  main:\n    secret_key: file:/no/where\n",
                "line 3: apps.main.secret_key: the file /no/where cannot be read: open: 2 No such file or directory"),
            Wanting(
                "apps:\n  main:\n    secret_key: secret_live_canary7f3a\n",
                "line 3: apps.main.secret_key: a secret never stands in this file itself; write env:NAME or file:PATH"),
            Wanting(
                "apps:\n  main:\n    secret_key: env:canary7f3a!\n",
                "line 3: apps.main.secret_key: a secret never stands in this file itself; write env:NAME or file:PATH"),
            Wanting("apps:\n  main:\n    secret_key: []\n", "line 3: apps.main.secret_key: this list is empty"),
            Wanting("apps:\n  main:\n    secret_key:\n", "line 3: apps.main.secret_key: there is no value here"),
            Wanting(
                "apps:\n  main:\n    secret_key: { canary7f3a: 1 }\n",
                "line 3: apps.main.secret_key: this must be env:NAME or file:PATH"),
            Wanting("apps:\n  main:\n", "line 2: apps.main.secret_key: this is missing"),
            Wanting(
                "apps:\n  main:\n    secret_key: env:PUBLIC\n",
                "line 3: apps.main.secret_key: this is a public key; api: v2 needs the secret one"),
            Wanting("apps:\n  main:\n    api: v1\n    secret_key: env:PUBLIC\n"),
        ])
    func secrets(wanting: Wanting) { check(wanting) }

    @Test(
        "a value that is not of its kind is a mistake that says what belongs there",
        arguments: [
            .after(
                "listen: example.com:80\n",
                "line 4: listen: this is not a numeric address and port such as 127.0.0.1:8080 or [::1]:8080"),
            .after(
                "listen: 127.0.0.1\n",
                "line 4: listen: this is not a numeric address and port such as 127.0.0.1:8080 or [::1]:8080"),
            .after(
                "listen: [a]\n",
                "line 4: listen: this must be a numeric address and port such as 127.0.0.1:8080 or [::1]:8080"),
            .after("listen:\n", "line 4: listen: there is no value here"),
            .after("admin: here\n", "line 4: admin: this must be a mapping, of keys and values"),
            .after(
                "retention: { applied: 23h }\n",
                "line 4: retention.applied: this is shorter than reassert_after of apps.main: it would be forgotten before"
            ),
            .after("loops: 0\n", "line 4: loops: this is not a whole number from 1 to 256"),
            .after("loops: four\n", "line 4: loops: this is not a whole number from 1 to 256"),
            .after("loops: +4\n", "line 4: loops: this is not a whole number from 1 to 256"),
            .after(
                "trusted_proxies:\n - 10.0.0.0/8\n - 10.0.0.0/33\n",
                "line 6: trusted_proxies: this is not a network such as 10.0.0.0/8 or 2001:db8::/32"),
            .after(
                "trusted_proxies: [example/8]\n",
                "line 4: trusted_proxies: this is not a network such as 10.0.0.0/8 or 2001:db8::/32"),
            .after(
                "trusted_proxies: 10.0.0.0/\n",
                "line 4: trusted_proxies: this is not a network such as 10.0.0.0/8 or 2001:db8::/32"),
            .after(
                "outbox: postgres://u:canary7f3a@h/db\n",
                "line 4: outbox: PostgreSQL is not available in this version; write sqlite:PATH"),
            .after("outbox: patchbay.db\n", "line 4: outbox: this is not sqlite:PATH, such as sqlite:var/patchbay.db"),
            .after(
                "outbox: 'sqlite::memory:'\n",
                "line 4: outbox: this is not sqlite:PATH, such as sqlite:var/patchbay.db"),
            .after("outbox: 'sqlite:'\n", "line 4: outbox: this is not sqlite:PATH, such as sqlite:var/patchbay.db"),
            .after(
                "limits: { source: 10/day }\n",
                "line 4: limits.source: this is not a rate such as 1000/s, 40000/min, 5/h or 20/s burst 100, or none"),
            .after(
                "limits: { body_bytes: 1e6 }\n",
                "line 4: limits.body_bytes: this is not a size from 1KiB to 64MiB, such as 262144, 256KiB or 4m"),
            .after(
                "limits: { body_bytes: 4096, bytes_in_flight: 2048 }\n",
                "line 4: limits.bytes_in_flight: this must be at least body_bytes and client_body_bytes, or the longest "
                    + "body never comes in"
            ),
            .after(
                "deadlines: { idle: 5 }\n",
                "line 4: deadlines.idle: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"),
            .after(
                "deadlines: { idle: 0s }\n",
                "line 4: deadlines.idle: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"),
            .after(
                "deadlines: { idle: -5s }\n",
                "line 4: deadlines.idle: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"),
            .after(
                "deadlines: { idle: 99999999999999999d }\n",
                "line 4: deadlines.idle: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"),
            .after(
                "deadlines: { idle: 3651d }\n",
                "line 4: deadlines.idle: this is not a duration such as 250ms, 5s, 10m, 72h or 30d"),
            .after(
                "log: { level: loud }\n",
                "line 4: log.level: this is not one of trace, debug, info, notice, warning, error, critical"),
            .after("log: { profiles: [plain] }\n", "line 4: log.profiles: this must be one of hashed, plain, none"),
        ] as [Wanting])
    func kinds(wanting: Wanting) { check(wanting) }

    @Test(
        "an app's keys are checked",
        arguments: [
            Wanting(
                minimal + "    upstream: api.adapty.io\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: ftp://api.adapty.io\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: https://u:canary7f3a@h\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: https://h?x=1\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: https://h:0\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: https://\n",
                "line 4: apps.main.upstream: this is not a URL such as https://api.adapty.io"),
            Wanting(
                minimal + "    upstream: http://api.adapty.io\n",
                "line 4: apps.main.upstream: an upstream off this machine must be https"),
            Wanting(
                minimal + "    upstream: http://127.0.0.1.example.com\n",
                "line 4: apps.main.upstream: an upstream off this machine must be https"),
            Wanting(
                minimal + "    upstream: http://localhost.example.com:80\n",
                "line 4: apps.main.upstream: an upstream off this machine must be https"),
            Wanting(
                minimal + "    upstream: http://[2001:db8::1]\n",
                "line 4: apps.main.upstream: an upstream off this machine must be https"),
            Wanting(minimal + "    api: v3\n", "line 4: apps.main.api: this is not one of v1, v2"),
            Wanting(
                minimal + "    rate: 40000/min\n",
                "line 4: apps.main.rate: this must be a mapping, of keys and "
                    + "values"),
            Wanting(
                minimal + "    concurrency: 0\n",
                "line 4: apps.main.concurrency: this is not a whole number from 1 to 1024"),
            Wanting(
                minimal + "    ca_file: /no/ca.pem\n",
                "line 4: apps.main.ca_file: the file /no/ca.pem cannot be read: open: 2 No such file or directory"),
            Wanting(
                "apps:\n  my app: { secret_key: env:KEY }\n", "line 2: apps: a name is made of letters, digits, _ and -"
            ),
            Wanting(
                "apps: [main]\n", "line 1: apps: this must be a mapping, of keys and values",
                "line 1: apps: there must be at least one app"),
        ])
    func apps(wanting: Wanting) { check(wanting) }

    @Test(
        "a source needs a vendor, an app and a way to prove itself",
        arguments: [
            .after(
                "sources:\n  s: {}\n", "line 5: sources.s.vendor: this is missing",
                "line 5: sources.s.app: this is missing",
                "line 5: sources.s.auth: this is missing; write auth: none if anybody may send"),
            .after(
                "sources:\n  s: { vendor: appsfyler, app: mian, auth: none }\n",
                "line 5: sources.s.vendor: there is no vendor of this name; did you mean \"appsflyer\"?",
                "line 5: sources.s.app: there is no app of this name; did you mean \"main\"?"),
            .after(
                "sources:\n  s: { vendor: canary7f3a, app: main, auth: none }\n",
                "line 5: sources.s.vendor: there is no vendor of this name"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: nobody }\n",
                "line 5: sources.s.auth: this is not none, or a mapping that says how it proves itself"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: {} }\n",
                "line 5: sources.s.auth: there must be one of these here: \(everyProof)"),
            .after(
                "sources:\n  s:\n    vendor: appsflyer\n    app: main\n    auth: { tokn: env:TOKEN }\n",
                "line 8: sources.s.auth: there must be one of these here: \(everyProof)",
                "line 8: sources.s.auth.tokn: there is no such key; did you mean \"token\"?"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { token: env:TOKEN, basic: env:BASIC } }\n",
                "line 5: sources.s.auth.basic: token stands here too; one of the two must go"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { basic: env:TOKEN } }\n",
                "line 5: sources.s.auth.basic: this secret must be a user and a password with a colon between them"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { basic: env:BASIC, in: query } }\n",
                "line 5: sources.s.auth.in: there is no such key"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { token: env:TOKEN, in: cookie } }\n",
                "line 5: sources.s.auth.in: this is not one of query, path, header"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { token: env:TOKEN, in: header, name: 'X "
                    + "Key' } }\n",
                "line 5: sources.s.auth.name: this is not the name of a header, such as X-Api-Key"),
            .after(
                "sources:\n  s: { vendor: appsflyer, app: main, auth: { token: canary7f3a } }\n",
                "line 5: sources.s.auth.token: a secret never stands in this file itself; write env:NAME or file:PATH"),
            .after(
                "sources:\n  ../x: { vendor: appsflyer, app: main, auth: none }\n",
                "line 5: sources: a name is made of letters, digits, _ and -"),
        ] as [Wanting])
    func sources(wanting: Wanting) { check(wanting) }

    @Test(
        "client keys and vendors are checked",
        arguments: [
            .after("client_keys:\n  ios: { app: main }\n", "line 5: client_keys.ios.key: this is missing"),
            .after(
                "client_keys:\n  ios: { app: main, key: env:CLIENT, scopes: [wirte] }\n",
                "line 5: client_keys.ios.scopes: this is not one of write, read",
                "line 5: client_keys.ios.scopes: there must be at least one of write, read"),
            .after(
                "client_keys:\n  ios: { app: main, key: env:CLIENT, scopes: [] }\n",
                "line 5: client_keys.ios.scopes: there must be at least one of write, read"),
            .after(
                "client_keys:\n  ios: { app: main, key: env:CLIENT }\n  web:\n    app: main\n    key: "
                    + "[env:OTHER, env:CLIENT]\n",
                "line 8: client_keys.web.key: this is the same secret as client_keys.ios.key"),
            .after(
                "client_keys:\n  ios: { app: main, key: env:KEY }\n",
                "line 5: client_keys.ios.key: this is a secret key of Adapty's; make a key of your own for apps "
                    + "to carry",
                "line 5: client_keys.ios.key: this is the same secret as apps.main.secret_key"),
            .after(
                "vendors:\n  acme: {}\n",
                "line 5: vendors.acme.identifiers: a vendor that is not built in must say where its identifiers stand"),
            .after("vendors:\n  appsflyer: { customer_user_id: uid }\n"),
            .after(
                "vendors:\n  acme: { identifiers: { appsflyerid: [/a] } }\n",
                "line 5: vendors.acme.identifiers.appsflyerid: Adapty has no such identifier; did you mean "
                    + "\"appsflyer_id\"?"
            ),
            .after(
                "vendors:\n  acme:\n    identifiers:\n      appsflyer_id: [/a,\n        /b~2]\n",
                "line 8: vendors.acme.identifiers.appsflyer_id: this is not a JSON pointer such as /user/id, or "
                    + "the name of a parameter"
            ),
            .after(
                "vendors:\n  acme: { identifiers: { appsflyer_id: { a: b } } }\n",
                "line 5: vendors.acme.identifiers.appsflyer_id: this must be a JSON pointer such as /user/id, "
                    + "or the name of a parameter"
            ),
            .after(
                "vendors:\n  appsflyer: { event_tme: [/t] }\n",
                "line 5: vendors.appsflyer.event_tme: there is no such key; did you mean \"event_time\"?"),
        ] as [Wanting])
    func clientsAndVendors(wanting: Wanting) { check(wanting) }

    @Test(
        "the admin pages are not shown to strangers, nor on the public port",
        arguments: [
            .after(
                "admin: { listen: '0.0.0.0:8081' }\n", "line 4: admin.listen: off loopback the admin pages need a token"
            ),
            .after(
                "admin: { listen: '0.0.0.0:8081', token: [] }\n",
                "line 4: admin.listen: off loopback the admin pages need a token"),
            .after("admin: { listen: '[::]:8081', token: env:TOKEN }\n"),
            .after("admin: { listen: '[::1]:8081' }\n"),
            .after(
                "listen: 127.0.0.1:8081\n", "line 4: listen: the admin pages listen here too; one of them must move"),
            .after("listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n"),
        ] as [Wanting])
    func admin(wanting: Wanting) { check(wanting) }

    @Test("all mistakes are told together, in the order of the file")
    func together() {
        #expect(
            mistakes(
                in: """
                    lisen: 127.0.0.1:8080
                    apps:
                      main:
                        api: v3
                        secret_key: env:NOWHERE
                    sources:
                      s:
                        vendor: appsflyer
                        app: main
                    limits: { profile: often }
                    """)
                == [
                    "line 1: lisen: there is no such key; did you mean \"listen\"?",
                    "line 4: apps.main.api: this is not one of v1, v2",
                    "line 5: apps.main.secret_key: the environment variable NOWHERE is not set",
                    "line 7: sources.s.auth: this is missing; write auth: none if anybody may send",
                    "line 10: limits.profile: this is not a rate such as 1000/s, 40000/min, 5/h or 20/s burst "
                        + "100, or none",
                ])
    }

    @Test(
        "TLS needs an address, a certificate and a key, and files that can be read",
        arguments: [
            Wanting.after("tls: {}\n"),
            .after(
                "tls: { minimum: '1.3' }\n", "line 4: tls.listen: this is missing",
                "line 4: tls.certificate: this is missing", "line 4: tls.key: this is missing"),
            .after(
                "tls:\n  listen: 0.0.0.0:8443\n  certificate: /no/a.pem\n  key: /no/a.key\n  client_ca: /no/b.pem\n",
                "line 6: tls.certificate: the file /no/a.pem cannot be read: open: 2 No such file or directory",
                "line 7: tls.key: the file /no/a.key cannot be read: open: 2 No such file or directory",
                "line 8: tls.client_ca: the file /no/b.pem cannot be read: open: 2 No such file or directory"),
            .after(
                "tls: { listen: 0.0.0.0:8443, minimum: '1.1' }\n", "line 4: tls.minimum: this is not one of 1.2, 1.3",
                "line 4: tls.certificate: this is missing", "line 4: tls.key: this is missing"),
        ])
    func tls(wanting: Wanting) { check(wanting) }

    @Test("TLS listens where nothing else does")
    func tlsAddress() {
        let surroundings = Surroundings.fake(files: ["/a": "x"])
        let found = mistakes(
            in: minimal + "tls: { listen: 127.0.0.1:8081, certificate: /a, key: /a }\n", surroundings)
        #expect(found == ["line 4: tls: something else listens here too; one of them must move"])
    }
}
