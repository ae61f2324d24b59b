import EventLoop
import Relay
import Testing

@testable import Configuration

struct ConfigurationTests {
    @Test("what is left out has its default")
    func defaults() throws {
        let configuration = try load(minimal)
        #expect(configuration.listen.description == "127.0.0.1:8080")
        #expect(configuration.admin.listen.description == "127.0.0.1:8081")
        #expect(configuration.admin.tokens.isEmpty)
        #expect(configuration.outbox == .sqlite(path: "var/patchbay.db"))
        #expect(configuration.loops == 3)
        #expect(configuration.trustedProxies.map(\.description) == ["127.0.0.1/32"])
        #expect(configuration.proxyProtocol.isEmpty)
        #expect(configuration.sources.isEmpty && configuration.clientKeys.isEmpty && configuration.vendors.isEmpty)
        let app = try #require(configuration.apps.first)
        #expect((app.name, app.upstream, app.api) == ("main", "https://api.adapty.io", .v2))
        #expect(app.rate == Rate(count: 40000, per: .seconds(60), burst: 100))
        #expect((app.concurrency, app.authorities) == (64, nil))
        #expect((app.connectTimeout, app.timeout) == (.seconds(3), .seconds(15)))
        #expect((app.profileWait, app.giveUpAfter) == (.seconds(259_200), .seconds(259_200)))
        #expect(app.reassertAfter == .seconds(86400))
        #expect(configuration.limits.source == Rate("1000/s"))
        #expect(configuration.limits.clientKey == Rate("200/s"))
        #expect(configuration.limits.clientAddress == Rate("20/s"))
        #expect(configuration.limits.profile == Rate("5/s"))
        #expect(configuration.limits.failuresPerAddress == Rate("60/min burst 100"))
        #expect(configuration.limits.connectionsPerAddress == 1000)
        #expect(configuration.limits.bodyBytes == 4 << 20)
        #expect(configuration.limits.clientBodyBytes == 256 << 10)
        #expect((configuration.limits.connections, configuration.limits.bytesInFlight) == (20000, 67_108_864))
        #expect((configuration.deadlines.headers, configuration.deadlines.body) == (.seconds(5), .seconds(10)))
        #expect((configuration.deadlines.idle, configuration.deadlines.write) == (.seconds(75), .seconds(10)))
        #expect((configuration.drain.delay, configuration.drain.timeout) == (.seconds(5), .seconds(30)))
        #expect((configuration.log.level, configuration.log.profiles) == (.info, .hashed))
    }

    @Test(
        "a size is written in bytes or by powers of 1024, whatever its unit is called",
        arguments: [
            ("262144", 262_144), ("256k", 262_144), ("256K", 262_144), ("256 KiB", 262_144), ("256kB", 262_144),
            ("4m", 4 << 20), ("4MiB", 4 << 20), ("4 MB", 4 << 20), ("2048b", 2048),
        ])
    func sizes(_ text: String, _ bytes: Int) throws {
        let configuration = try load(minimal + "limits: { body_bytes: \(text), bytes_in_flight: 1g }\n")
        #expect(configuration.limits.bodyBytes == bytes)
        #expect(configuration.limits.bytesInFlight == 1 << 30)
    }

    @Test("a source proves itself as it says")
    func authentication() throws {
        func auth(_ text: String) throws -> AuthConfiguration.Proof {
            let yaml = minimal + "sources:\n  s: { vendor: appsflyer, app: main, auth: \(text) }\n"
            return try #require(try load(yaml).sources.first).auth.proof
        }
        func place(_ text: String) throws -> AuthConfiguration.TokenPlace? {
            if case .token(let secrets, let place) = try auth("{ token: env:TOKEN\(text) }") {
                #expect(secrets.map { $0.reveal { String(decoding: $0, as: UTF8.self) } } == ["canary7f3a2"])
                return place
            }
            return nil
        }
        #expect(try place("") == .header(name: "Authorization", prefix: ""))
        #expect(try place(", prefix: Bearer") == .header(name: "Authorization", prefix: "Bearer "))
        #expect(try place(", prefix: 'Bearer '") == .header(name: "Authorization", prefix: "Bearer "))
        #expect(try place(", prefix: 'key='") == .header(name: "Authorization", prefix: "key="))
        #expect(try place(", in: header, name: X-Api-Key") == .header(name: "X-Api-Key", prefix: ""))
        #expect(try place(", in: path") == .path)
        #expect(try place(", in: query") == .query(name: "token"))
        #expect(try place(", in: query, name: key") == .query(name: "key"))
        guard case .basic(let credentials) = try auth("{ basic: [env:BASIC, env:BASIC] }") else {
            Issue.record("this is Basic")
            return
        }
        #expect(credentials.count == 2)
        guard case .none = try auth("none") else {
            Issue.record("this is none")
            return
        }
    }

    @Test(
        "the newline at the end of a file is no part of the secret in it; anything else is",
        arguments: [("k\n", "k"), ("k\r\n", "k"), ("k", "k"), (" k \n", " k "), ("k=\n", "k=")])
    func files(content: String, secret: String) throws {
        let yaml = "apps:\n  main:\n    secret_key: file:/run/key\n"
        let configuration = try load(yaml, in: .fake(files: ["/run/key": content]))
        #expect(configuration.apps[0].secretKeys.map { $0.reveal { $0 } } == [Array(secret.utf8)])
    }

    @Test(
        "a secret with a line in it, or nothing, is none", arguments: ["", "\n", "\r\n", "a\nb\n", "a\n\n", "a\u{0}"])
    func badFiles(content: String) {
        let yaml = "apps:\n  main:\n    secret_key: file:/run/key\n"
        let found = mistakes(in: yaml, .fake(files: ["/run/key": content]))
        let isEmpty = content.allSatisfy(\.isNewline)
        #expect(
            found == [
                isEmpty
                    ? "line 3: apps.main.secret_key: the file /run/key is empty"
                    : "line 3: apps.main.secret_key: the secret in file:/run/key has a control character in it"
            ])
    }

    @Test(
        "an upstream is kept as it is written, without a slash at its end",
        arguments: [
            ("https://api.adapty.io/", "https://api.adapty.io"), ("https://h:8443/v/", "https://h:8443/v"),
            ("HTTPS://h", "HTTPS://h"), ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://localhost:9000", "http://localhost:9000"), ("http://[::1]:9000", "http://[::1]:9000"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ])
    func upstreams(text: String, kept: String) throws {
        let configuration = try load(minimal + "    upstream: '\(text)'\n")
        #expect(configuration.apps.map(\.upstream) == [kept])
    }

    @Test("a network is written with its length, and a lone address is one")
    func networks() throws {
        let configuration = try load(
            minimal + "trusted_proxies: [10.0.0.0/8, 192.0.2.1, '2001:db8::/32', '::1', 0.0.0.0/0]\n")
        #expect(
            configuration.trustedProxies.map(\.description)
                == ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::1/128", "0.0.0.0/0"])
        #expect(try load(minimal + "trusted_proxies: []\n").trustedProxies.isEmpty)
        let single = try load(minimal + "proxy_protocol: 10.0.0.1\n")
        #expect(single.proxyProtocol.map(\.description) == ["10.0.0.1/32"])
    }

    @Test("a limit may be none")
    func noLimit() throws {
        let limits = try load(minimal + "limits: { client_ip: none, profile: 2/min burst 9 }\n").limits
        #expect(limits.clientAddress == nil)
        #expect(limits.profile == Rate(count: 2, per: .seconds(60), burst: 9))
        let more = try load(minimal + "limits: { failures_per_ip: none, connections_per_ip: none }\n").limits
        #expect((more.failuresPerAddress, more.connectionsPerAddress) == (nil, nil))
        #expect(try load(minimal + "limits: { connections_per_ip: 7 }\n").limits.connectionsPerAddress == 7)
    }

    @Test("a vendor's places keep their order and their lines")
    func vendors() throws {
        let yaml = """
            vendors:
              acme:
                identifiers:
                  appsflyer_id:
                    - /ids/af
                    - af_id
                  branch_id: /b
                batch: /events
            """
        let vendor = try #require(try load(minimal + yaml).vendors.first)
        #expect((vendor.name, vendor.line) == ("acme", 5))
        #expect(vendor.identifiers.map(\.identifier) == [.appsflyerID, .branchID])
        #expect(vendor.identifiers[0].places == [Located(value: "/ids/af", line: 8), Located(value: "af_id", line: 9)])
        #expect(vendor.batch == [Located(value: "/events", line: 11)])
        #expect(vendor.eventTime == [])
    }

    @Test("a source may come from a vendor that the file declares, before or after it")
    func declaredVendor() throws {
        let yaml =
            minimal + """
                sources: { s: { vendor: acme, app: main, auth: none } }
                vendors: { acme: { identifiers: { branch_id: /b } } }
                """
        #expect(try load(yaml).sources.map(\.vendor) == ["acme"])
    }
}

struct EffectiveTests {
    @Test("the effective configuration shows every value and no secret")
    func effective() throws {
        let yaml = """
            listen: '[::]:80'
            loops: 2
            apps:
              main:
                secret_key: [env:KEY, file:/run/key]
                timeout: 1500ms
            sources:
              a: { vendor: amplitude, app: main, auth: { token: env:TOKEN, in: query } }
              b: { vendor: mixpanel, app: main, auth: { basic: env:BASIC } }
              c: { vendor: appsflyer, app: main, auth: none }
            client_keys:
              ios: { app: main, key: env:CLIENT, scopes: [write, read] }
            limits: { client_ip: none, source: 60/min burst 7 }
            """
        let effective = try load(yaml, in: .fake(files: ["/run/key": "canary7f3a9"])).effective
        #expect(
            effective == """
                listen: [::]:80
                admin:
                  listen: 127.0.0.1:8081  # default
                  token: []  # default
                  hosts: []  # default
                tls:
                  listen: none  # default
                  certificate: none  # default
                  key: none  # default
                  client_ca: none  # default
                  minimum: 1.2  # default
                outbox: sqlite:var/patchbay.db  # default
                retention:
                  applied: 30d  # default
                  dead_letters: 30d  # default
                  file_bytes: 4GiB  # default
                  profiles_in_memory: 100000  # default
                loops: 2
                trusted_proxies: [127.0.0.1/32]  # default
                proxy_protocol: []  # default
                apps:
                  main:
                    upstream: https://api.adapty.io  # default
                    api: v2  # default
                    secret_key: [<secret> from env:KEY, <secret> from file:/run/key]
                    rate:
                      per_minute: 40000  # default
                      burst: 100  # default
                    concurrency: 64  # default
                    connect_timeout: 3s  # default
                    timeout: 1500ms
                    ca_file: none  # default
                    profile_wait: 3d  # default
                    give_up_after: 3d  # default
                    settle_after: 1m  # default
                    reassert_after: 1d  # default
                    require_profile_token: false  # default
                    enabled: true  # default
                sources:
                  a:
                    vendor: amplitude
                    app: main
                    auth:
                      token: [<secret> from env:TOKEN]
                      in: query
                      name: token  # default
                      addresses: any  # default
                    cors: []  # default
                    enabled: true  # default
                  b:
                    vendor: mixpanel
                    app: main
                    auth:
                      basic: [<secret> from env:BASIC]
                      addresses: any  # default
                    cors: []  # default
                    enabled: true  # default
                  c:
                    vendor: appsflyer
                    app: main
                    auth: none
                    cors: []  # default
                    enabled: true  # default
                client_keys:
                  ios:
                    app: main
                    key: [<secret> from env:CLIENT]
                    scopes: [write, read]
                    app_check:
                      project: none  # default
                      jwks: https://firebaseappcheck.googleapis.com/v1/jwks  # default
                    origins: []  # default
                    enabled: true  # default
                profile_tokens: {}
                vendors: {}
                limits:
                  source: 60/min burst 7
                  client_key: 200/s  # default
                  client_ip: none
                  profile: 5/s  # default
                  failures_per_ip: 60/min burst 100  # default
                  body_bytes: 4MiB  # default
                  client_body_bytes: 256KiB  # default
                  connections: 20000  # default
                  connections_per_ip: 1000  # default
                  bytes_in_flight: 64MiB  # default
                deadlines:
                  headers: 5s  # default
                  body: 10s  # default
                  idle: 75s  # default
                  write: 10s  # default
                drain:
                  delay: 5s  # default
                  timeout: 30s  # default
                log:
                  level: info  # default
                  profiles: hashed  # default

                """)
    }

    @Test("nothing of a secret is to be seen in the configuration itself")
    func opaque() throws {
        let configuration = try load(minimal)
        var dumped = "\(configuration)"
        dump(configuration, to: &dumped)
        #expect(!dumped.contains(Surroundings.canary))
    }

    @Test("a byte order mark before a file of settings or of a secret is no part of it")
    func byteOrderMarks() throws {
        let surroundings = Surroundings.fake(files: [
            "conf.yaml": "\u{FEFF}" + minimal, "key": "\u{FEFF}secret_live_x\r\n",
        ])
        #expect(try surroundings.text(of: "conf.yaml") == minimal)
        let found = try surroundings.find(.file("key"))
        #expect(found.secret.reveal { $0 == Array("secret_live_x".utf8) })
        #expect(throws: Wrong.self) {
            try Surroundings.fake(files: ["key": "\u{FEFF}\n"]).find(.file("key"))
        }
    }
}
