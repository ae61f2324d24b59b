import Crypto
import Foundation
import TestCertificates
import Testing

/// A secret of each kind there is, planted where such secrets are kept, and looked for wherever a node leaves words. A
/// further kind is one case here, and its place in `configuration`. What only checks signatures, as a public key in PEM
/// or a key set does, is no secret.
enum Canary: String, CaseIterable {
    case secretKey, newSecretKey, rejectingKey, pausingKey, failingKey, unreachableKey
    case adminToken, queryToken, oldQueryToken, headerToken, pathToken, signingSecret, basic, clientKey,
        rejectingClientKey, webhookSecret, hexSecret, profileTokenSecret, profileToken, tlsKey

    /// What the relay listens with, in PEM.
    static let tls: (certificate: String, key: String)? = try? {
        let files = try TestCertificates()
        return try withExtendedLifetime(files) {
            let pair = try files.make("server")
            return (
                try String(contentsOfFile: pair.certificate, encoding: .utf8),
                try String(contentsOfFile: pair.key, encoding: .utf8)
            )
        }
    }()

    /// With what base64 and URLs write differently, and not found in any text by chance.
    private var text: String { "canary/\(rawValue)+7f3a~51d2" }

    /// As it is configured or presented.
    var value: String {
        let prefix =
            switch self {
            case .secretKey, .newSecretKey, .rejectingKey, .pausingKey, .failingKey, .unreachableKey: "secret_live_"
            case .basic: "user:"
            default: ""
            }
        return switch self {
        case .webhookSecret: "whsec_" + Data(text.utf8).base64EncodedString()
        case .hexSecret: text.utf8.map { String(format: "%02x", $0) }.joined()
        case .profileToken: Self.signedToken
        // Its first line is the same for every key of its kind.
        case .tlsKey:
            Self.tls?.key.split(separator: "\n").dropFirst(2).first.map(String.init) ?? "no TLS key was made"
        default: prefix + text
        }
    }

    /// Until 2100, for the user `u`.
    private static let signedToken: String = {
        func part(_ bytes: some Sequence<UInt8>) -> String {
            Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
                "=", with: "")
        }
        let claims = part(#"{"aud":"patchbay","sub":"u","exp":4102444800}"#.utf8)
        let signed = part(#"{"alg":"HS256"}"#.utf8) + "." + claims
        let key = SymmetricKey(data: Data(Canary.profileTokenSecret.value.utf8))
        return signed + "." + part(HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: key))
    }()

    /// What is written in hex or base64, as signatures are made with it.
    var signingKey: SymmetricKey { SymmetricKey(data: Data(text.utf8)) }

    /// The others are in the environment.
    var isFile: Bool { [.newSecretKey, .headerToken, .clientKey].contains(self) }

    /// As it may turn up: plain, base64 wherever it stands in what is encoded, hex, percent-encoded, reversed.
    var forms: [String] {
        let bytes = Array(value.utf8)
        var forms = [value, String(value.reversed())]
        for shift in 0..<3 {
            // Whole groups of three bytes that belong to the canary alone.
            let inner = bytes.dropFirst(shift)
            let whole = Data(inner.prefix(inner.count / 3 * 3)).base64EncodedString()
            forms += [whole, whole.replacing("+", with: "-").replacing("/", with: "_")]
        }
        let hex = bytes.map { String(format: "%02x", $0) }.joined()
        forms += [hex, hex.uppercased(), value.replacing("/", with: "\\/")]
        if let encoded = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) { forms.append(encoded) }
        if let encoded = value.addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed) { forms.append(encoded) }
        switch self {
        case .webhookSecret, .hexSecret: forms.append(text)
        // The claims and the signature are as bad as the whole.
        case .profileToken: forms += value.split(separator: ".").dropFirst().map(String.init)
        default: break
        }
        return forms
    }

    static func found(in bytes: [UInt8]) -> [String] {
        let data = Data(bytes)
        return allCases.flatMap { canary in
            canary.forms.filter { data.range(of: Data($0.utf8)) != nil }.map { "\(canary.rawValue) as \($0)" }
        }
    }
}

@Suite("Canaries: secrets of every kind, and every place where a node leaves words", .serialized)
final class CanaryTests {
    private static let path = "/client/appsflyer"
    private static let payload = #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#

    private let directory: TemporaryDirectory
    private var environment: [String: String] = [:]
    private var answers: [(what: String, bytes: [UInt8])] = []

    init() throws {
        directory = try TemporaryDirectory()
        for canary in Canary.allCases {
            if canary.isFile {
                _ = try directory.write(canary.value + "\n", to: canary.rawValue)
            } else {
                environment[canary.rawValue] = canary.value
            }
        }
    }

    private func reference(_ canary: Canary) -> String {
        canary.isFile ? "file:\(directory.path)/\(canary.rawValue)" : "env:\(canary.rawValue)"
    }

    /// - Parameter upstreams: by the app's name.
    private func configuration(_ upstreams: [String: String], mistake: String = "") throws -> String {
        func app(_ name: String, _ keys: Canary...) -> String {
            let keys = keys.map(reference).joined(separator: ", ")
            return "  \(name): { upstream: \"http://\(upstreams[name] ?? "127.0.0.1:1")\", secret_key: [\(keys)] }"
        }
        func source(_ name: String, of app: String, _ auth: String) -> String {
            "  \(name): { vendor: appsflyer, app: \(app), auth: { \(auth) } }"
        }
        let tls = try #require(Canary.tls)
        let certificate = try directory.write(tls.certificate, to: "tls.pem")
        let key = try directory.write(tls.key, to: "tls.key")
        let query = "token: [\(reference(.queryToken)), \(reference(.oldQueryToken))], in: query, name: token"
        return try directory.write(
            """
            listen: 127.0.0.1:0
            tls: { listen: 127.0.0.1:0, certificate: \(certificate), key: \(key) }
            admin: { listen: 127.0.0.1:0, token: \(reference(.adminToken)) }
            outbox: sqlite:\(directory.path)/outbox/patchbay.db
            loops: 1
            drain: { delay: 0s, timeout: 5s }
            limits: { source: none, client_key: none, client_ip: none, profile: none }
            log: { level: trace }
            apps:
            \(app("main", .secretKey, .newSecretKey))
            \(app("rejecting", .rejectingKey))
            \(app("pausing", .pausingKey))
            \(app("failing", .failingKey))
            \(app("unreachable", .unreachableKey))
            sources:
            \(source("query", of: "main", query))
            \(source("rejecting", of: "rejecting", query))
            \(source("pausing", of: "pausing", query))
            \(source("failing", of: "failing", query))
            \(source("unreachable", of: "unreachable", query))
            \(source("header", of: "main", "token: \(reference(.headerToken)), in: header, name: X-Api-Key"))
            \(source("basic", of: "main", "basic: \(reference(.basic))"))
            \(source("path", of: "main", "token: \(reference(.pathToken)), in: path"))
            \(source("signed", of: "main", "hmac: \(reference(.signingSecret)), header: X-Signature"))
            \(source("webhooks", of: "main", "standard_webhooks: \(reference(.webhookSecret))"))
            \(source("hex", of: "main", "hmac: \(reference(.hexSecret)), key_encoding: hex, header: X-Signature"))
            profile_tokens:
              backend: { app: main, key: \(reference(.profileTokenSecret)), algorithms: [HS256], audience: patchbay }
            client_keys:
              ios: { app: main, key: \(reference(.clientKey)), scopes: [write, read] }
              android: { app: rejecting, key: \(reference(.rejectingClientKey)), scopes: [write, read] }
            \(mistake)
            """, to: "patchbay.yaml")
    }

    /// An upstream that quotes the key it was sent, in its body, escaped in its body, and in its fields.
    private func quoting(_ key: Canary, status: Int) throws -> RawUpstream {
        let escaped = key.value.replacing("_", with: "\\u005f")
        let body = #"{"errors":["Api-Key \#(key.value)","and \#(escaped)"],"error_code":"x","status_code":\#(status)}"#
        return try RawUpstream(
            "HTTP/1.1 \(status) No\r\nContent-Type: application/json\r\nRequest-Id: \(key.value)\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }

    private func note(_ what: String, _ text: String) { answers.append((what, Array(text.utf8))) }

    /// Sends one request and keeps all of its answer. Returns the status.
    @discardableResult
    private func ask(
        _ address: String, _ method: String, _ target: String, _ headers: [String: String] = [:], _ body: String = ""
    ) throws -> Int {
        let answer = try TestClient(address).send(method, target, headers, body: body)
        note("\(method) \(target): the answer", "\(answer.headers)\n\(answer.text)")
        return answer.status
    }

    private func expectNothing(_ log: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        note("standard output and error", log)
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path + "/outbox") {
            answers.append(
                (file, Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/outbox/\(file)")))))
        }
        for (what, bytes) in answers {
            let found = Canary.found(in: bytes)
            #expect(found.isEmpty, "\(what): \(found)", sourceLocation: sourceLocation)
        }
    }

    @Test("the search finds a canary in each of its forms, in the midst of others", arguments: Canary.allCases)
    func search(canary: Canary) {
        for form in canary.forms { #expect(!Canary.found(in: Array("x\(form)y".utf8)).isEmpty) }
        for padding in ["", "a", "ab"] {
            let encoded = Data((padding + canary.value + "z").utf8).base64EncodedString()
            #expect(!Canary.found(in: Array(encoded.utf8)).isEmpty, "\(padding)")
        }
        #expect(Canary.found(in: Array("canary".utf8)).isEmpty)
    }

    @Test("none is in any answer, log, metric, record or database file, after successes and failures of every kind")
    func wholeProcess() async throws {
        let sandbox = try await RunningPatchbay(
            ["sandbox", "--listen", "127.0.0.1:0", "--any-profile", "--key", Canary.newSecretKey.value])
        let rejecting = try quoting(.rejectingKey, status: 400)
        let pausing = try quoting(.pausingKey, status: 401)
        let failing = try quoting(.failingKey, status: 500)
        let path = try configuration([
            "main": sandbox.address, "rejecting": rejecting.address, "pausing": pausing.address,
            "failing": failing.address,
        ])
        try FileManager.default.createDirectory(atPath: directory.path + "/outbox", withIntermediateDirectories: true)
        let relay = try await RunningPatchbay(["serve", "--config", path], environment: environment)
        try successes(relay.address)
        for canary in Canary.allCases { try misplaced(canary, relay.address) }
        try upstreamTrouble(relay.address)
        for message in ["attempt\",\"", "dead_letter\":true", "paused", "settings are wrong"] {
            for _ in 0..<250 where !relay.log.contains(message) { try await Task.sleep(for: .milliseconds(20)) }
        }
        #expect(relay.log.contains("dead_letter\":true"))
        #expect(relay.log.contains("settings are wrong"))
        try admin(relay, path)
        relay.send(SIGTERM)
        #expect(try await relay.ended() == 0)
        try expectNothing(relay.log)
    }

    private func successes(_ address: String) throws {
        let query = try #require(
            Canary.queryToken.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let basic = "Basic " + Data(Canary.basic.value.utf8).base64EncodedString()
        #expect(try ask(address, "POST", "/hooks/query?token=\(query)", [:], Self.payload) == 200)
        #expect(try ask(address, "POST", "/hooks/header", ["X-Api-Key": Canary.headerToken.value], Self.payload) == 200)
        #expect(try ask(address, "POST", "/hooks/basic", ["Authorization": basic], Self.payload) == 200)
        let path = try #require(Canary.pathToken.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        #expect(try ask(address, "POST", "/hooks/path/\(path)", [:], Self.payload) == 200)
        #expect(try ask(address, "POST", "/hooks/path/\(path)x", [:], Self.payload) == 401)
        #expect(try ask(address, "POST", "/hooks/signed", ["X-Signature": "00"], Self.payload) == 401)
        #expect(try ask(address, "POST", "/hooks/hex", ["X-Signature": signature(.hexSecret)], Self.payload) == 200)
        #expect(try ask(address, "POST", "/hooks/hex", ["X-Signature": "00"], Self.payload) == 401)
        let webhook = ["webhook-id": "1", "webhook-timestamp": "\(Int(Date.now.timeIntervalSince1970))"]
        for (signature, status) in [("v1,\(webhookSignature(webhook))", 200), ("v1,AAAA", 401)] {
            let fields = webhook.merging(["webhook-signature": signature]) { $1 }
            #expect(try ask(address, "POST", "/hooks/webhooks", fields, Self.payload) == status)
        }
        let token = ["Authorization": "Bearer \(Canary.profileToken.value)"]
        #expect(try ask(address, "POST", Self.path, token, #"{"appsflyer_id":"5-6"}"#) == 200)
        #expect(try ask(address, "GET", RelayUnderTest.dropIn, token) == 403)
        let client = ["Authorization": "Api-Key \(Canary.clientKey.value)", "adapty-customer-user-id": "u"]
        #expect(try ask(address, "POST", Self.path, client, #"{"appsflyer_id":"3-4"}"#) == 200)
        #expect(try ask(address, "GET", RelayUnderTest.dropIn, client) == 200)
        #expect(try ask(address, "GET", "/openapi.json") == 200)
    }

    private func signature(_ canary: Canary) -> String {
        HMAC<SHA256>.authenticationCode(for: Data(Self.payload.utf8), using: canary.signingKey)
            .map { String(format: "%02x", $0) }.joined()
    }

    private func webhookSignature(_ fields: [String: String]) -> String {
        let signed = "\(fields["webhook-id"] ?? "").\(fields["webhook-timestamp"] ?? "").\(Self.payload)"
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: Canary.webhookSecret.signingKey)
        return Data(code).base64EncodedString()
    }

    /// A right credential in every place where it is wrong.
    private func misplaced(_ canary: Canary, _ address: String) throws {
        let value = canary.value
        let encoded = try #require(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for source in ["query", "header", "basic", "path", "signed", "webhooks", "hex"] {
            let target = "/hooks/\(source)"
            for name in [
                "Authorization", "X-Api-Key", "Cookie", "Content-Type", "Content-Encoding", "Expect", "User-Agent",
            ] {
                try ask(address, "POST", target, [name: value], Self.payload)
            }
            try ask(address, "POST", target, ["Authorization": "Bearer \(value)x"], Self.payload)
            try ask(address, "POST", target + "?api_key=\(encoded)&token=\(encoded)x", [:], Self.payload)
        }
        for target in ["/\(encoded)", "/hooks/\(encoded)", "/client/\(encoded)", "/hooks/path/\(encoded)/x"] {
            #expect(try ask(address, "POST", target, [:], Self.payload) == 404)
        }
        try ask(address, "POST", Self.path, ["Authorization": "Api-Key \(value)x"], Self.payload)
        try ask(address, "POST", Self.path, ["Authorization": value, "Prefer": value], Self.payload)
        for request in [
            "\(encoded) / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / \(encoded)\r\nHost: a\r\n\r\n",
            "GET /\(value) HTTP/1.1\r\nHost: \(value)\r\nTransfer-Encoding: \(value)\r\nContent-Length: \(value)\r\n\r\n",
            "POST /hooks/query HTTP/1.1\r\nHost: a\r\n\(encoded)\r\n\r\n",
        ] {
            let client = try TestClient(address)
            try client.write(Array(request.utf8))
            note("the answer to \(request.prefix(4))", "\(try client.readAnswer().text)")
        }
        // Malformed, and with the right credential: refused by the stage that reads bodies.
        let query = try #require(
            Canary.oldQueryToken.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for body in ["{\"\(value)", "[\(value)]", "\(value)", "{\"appsflyer_id\":\(value)}"] {
            let client = ["Authorization": "Bearer \(Canary.clientKey.value)", "Content-Type": "application/json"]
            try ask(address, "POST", "/hooks/query?token=\(query)", ["Content-Type": "application/json"], body)
            try ask(address, "POST", Self.path, client, body)
        }
    }

    private func upstreamTrouble(_ address: String) throws {
        let query = try #require(Canary.queryToken.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for source in ["rejecting", "pausing", "failing", "unreachable"] {
            #expect(try ask(address, "POST", "/hooks/\(source)?token=\(query)", [:], Self.payload) == 200)
        }
        let client = [
            "Authorization": "Api-Key \(Canary.rejectingClientKey.value)", "adapty-customer-user-id": "waiting",
        ]
        let answer = try TestClient(address).send("POST", Self.path, client, body: #"{"appsflyer_id":"9-9"}"#)
        #expect(answer.status == 400)
        // It is the upstream's body that came through, with stars where the key was.
        #expect(answer.text.contains("Api-Key ****"))
        // Adapty's words relayed byte for byte: only what it wrote with escapes on purpose is left as it is.
        note("a relayed answer", "\(answer.headers)\(answer.text.replacing("\\u005f", with: "?"))")
        try ask(address, "GET", RelayUnderTest.dropIn, client)
    }

    private func admin(_ relay: RunningPatchbay, _ path: String) throws {
        let token = ["Authorization": "Bearer \(Canary.adminToken.value)"]
        for target in ["/metrics", "/rejected", "/rejected?as=text"] {
            #expect(try ask(relay.adminAddress, "GET", target, token) == 200)
            #expect(try ask(relay.adminAddress, "GET", target) == 401)
            #expect(
                try ask(relay.adminAddress, "GET", target, ["Authorization": "Bearer \(Canary.basic.value)"]) == 401)
        }
        for arguments in [["rejected", "--json"], ["rejected"], ["rejected", "--source", "query"]] {
            let run = try RunningPatchbay.run(
                arguments + ["--config", path, "--admin", relay.adminAddress], environment: environment)
            #expect(run.status == 0, "\(run.errors)")
            note("\(arguments)", run.output + run.errors)
        }
        for (change, status) in [("wrong-\(Canary.queryToken.value)", 77)] {
            let run = try RunningPatchbay.run(
                ["rejected", "--config", path, "--admin", relay.adminAddress],
                environment: [Canary.adminToken.rawValue: change])
            #expect(run.status == Int32(status))
            note("rejected with a wrong token", run.output + run.errors)
        }
        let check = try RunningPatchbay.run(["check", "--config", path], environment: environment)
        #expect(check.status == 0)
        note("check", check.output + check.errors)
    }

    @Test("none is in what a wrong configuration is told")
    func mistakes() throws {
        for mistake in [
            "limits: { source: \(Canary.basic.value) }", "\(Canary.clientKey.value): 1",
            "trusted_proxies: [\"\(Canary.secretKey.value)\"]",
            "client_keys: [\(Canary.clientKey.value)", "log: { level: \(Canary.adminToken.value) }",
            "listen: env:secretKey",
        ] {
            let path = try configuration([:], mistake: mistake)
            for command in ["check", "serve", "rejected"] {
                let run = try RunningPatchbay.run([command, "--config", path], environment: environment)
                #expect(run.status != 0)
                #expect(Canary.found(in: Array((run.output + run.errors).utf8)).isEmpty, "\(run.errors)")
            }
        }
    }

    @Test("none is in what a process says that dies", arguments: [SIGABRT, SIGSEGV])
    func crash(signal: Int32) async throws {
        let path = try configuration([:])
        let relay = try await RunningPatchbay(["serve", "--config", path], environment: environment)
        try ask(relay.address, "POST", "/hooks/header", ["X-Api-Key": Canary.headerToken.value], Self.payload)
        relay.send(signal)
        // Swift's handler prints a backtrace, steps aside and returns. A fault would happen again; a signal is sent again.
        for _ in 0..<600 where relay.isRunning && !relay.log.contains("Backtrace took") {
            try await Task.sleep(for: .milliseconds(100))
        }
        relay.send(signal)
        #expect(try await relay.ended() != 0)
        try expectNothing(relay.log)
    }

    @Test("none is in what is said when the outbox can take no more")
    func fullOutbox() async throws {
        let path = try configuration([:])
        let relay = try await RunningPatchbay(
            ["serve", "--config", path], environment: environment, limiting: "trap '' XFSZ; ulimit -f 300")
        var statuses: Set<Int> = []
        for number in 0..<2000 where !statuses.contains(503) {
            let body = #"{"appsflyer_id":"\#(number)-2","customer_user_id":"u\#(number)"}"#
            statuses.insert(
                try ask(relay.address, "POST", "/hooks/header", ["X-Api-Key": Canary.headerToken.value], body))
        }
        #expect(statuses.contains(503))
        relay.send(SIGTERM)
        _ = try await relay.ended()
        try expectNothing(relay.log)
    }
}
