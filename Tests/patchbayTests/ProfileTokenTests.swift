import Foundation
import JWTKit
import Synchronization
import Testing

@Suite("The whole process: profile tokens", .serialized)
struct ProfileTokenTests {
    private static let secret = "canary-signing-secret-0123456789abcdef"
    private static let backend = """
        profile_tokens:
          backend: { app: main, key: env:SIGNING, algorithms: [HS256], audience: patchbay, scopes: [write, read] }
        """

    private struct Claims: JWTPayload {
        var aud = "patchbay"
        var sub: String
        var exp = Date.now.addingTimeInterval(300)
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private static func signed(_ claims: Claims) async throws -> String {
        try await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256).sign(claims)
    }

    private func relay(_ settings: String = backend, app: String = "") async throws -> RelayUnderTest {
        try await RelayUnderTest(settings: settings, app: app, environment: ["SIGNING": Self.secret])
    }

    private func bearer(_ token: String, _ more: [String: String] = [:]) -> [String: String] {
        ["Authorization": "Bearer \(token)"].merging(more) { $1 }
    }

    @Test("a token's owner writes and reads its own profile, and nobody else's")
    func own() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        let token = try await Self.signed(Claims(sub: "usr_1"))
        for (index, headers) in [bearer(token), bearer(token, ["adapty-customer-user-id": "usr_1"])].enumerated() {
            let body = #"{"branch_id":"b\#(index)"}"#
            #expect(try client.post(RelayUnderTest.dropIn, body, headers).status == 200)
            #expect(try client.send("GET", RelayUnderTest.dropIn, headers).text.contains("b\(index)"))
        }
        for name in [
            ["adapty-customer-user-id": "usr_2"], ["adapty-profile-id": "3f0e2b6a-6f0e-4c56-9a39-6a1d3f1c9b11"],
        ] {
            for answer in [
                try client.post(RelayUnderTest.dropIn, #"{"branch_id":"x"}"#, bearer(token, name)),
                try client.send("GET", RelayUnderTest.dropIn, bearer(token, name)),
            ] {
                #expect(answer.status == 403 && answer.json?["error_code"] as? String == "forbidden")
            }
        }
        let body = #"{"identity":"x","adapty_customer_user_id":"usr_2"}"#
        #expect(try client.post("/client/branch", body, bearer(token)).status == 403)
        #expect(try test.held().profiles == ["usr_1": ["branch_id": "b1"]])
        #expect(try await test.logs(#""caller":"backend""#))
        #expect(!test.relay.log.contains(token))
    }

    @Test("a token that is not believed is 401, with the cause in the log and nothing of the token")
    func refused() async throws {
        let test = try await relay()
        let client = try TestClient(test.relay.address)
        let late = try await Self.signed(Claims(sub: "u", exp: Date.now.addingTimeInterval(-60)))
        let other = try await Self.signed(Claims(aud: "another", sub: "u"))
        for (token, cause) in [
            (late, "token_expired"), (other, "wrong_audience"), (late + "x", "wrong_signature"),
            ("eyJhbGciOiJub25lIn0.e30.", "algorithm_not_allowed"),
        ] {
            let answer = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, bearer(token))
            #expect(answer.status == 401 && answer.json?["errors"] as? [String] == ["Invalid API key"])
            #expect(try await test.logs(#""cause":"\#(cause)""#))
            #expect(!test.relay.log.contains(token))
        }
        #expect(try test.held().requests == 0)
    }

    @Test("an app that requires tokens takes no client key")
    func required() async throws {
        let test = try await relay(app: "require_profile_token: true")
        let client = try TestClient(test.relay.address)
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u"]
        #expect(try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, key).status == 401)
        #expect(try await test.logs(#""cause":"profile_token_required""#))
        let token = try await Self.signed(Claims(sub: "u"))
        #expect(try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, bearer(token)).status == 200)
    }

    // MARK: Published keys

    /// A published key and who signs with it.
    private struct Signer {
        let id: String
        let key = ES256PrivateKey()

        var jwk: String {
            let (x, y) = key.publicKey.parameters.map { (Self.url($0.x), Self.url($0.y)) } ?? ("", "")
            return #"{"kty":"EC","crv":"P-256","kid":"\#(id)","use":"sig","x":"\#(x)","y":"\#(y)"}"#
        }

        func token(_ user: String) async throws -> String {
            try await JWTKeyCollection().add(ecdsa: key, kid: JWKIdentifier(string: id))
                .sign(Claims(sub: user), kid: JWKIdentifier(string: id))
        }

        private static func url(_ base64: String) -> String {
            base64.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
        }
    }

    private static func published(at address: String) -> String {
        """
        profile_tokens:
          idp: { app: main, jwks: "http://\(address)/jwks.json", algorithms: [ES256], audience: patchbay, refresh: 1s }
        """
    }

    /// The status of a patch with this token, once it is the one that is waited for.
    private func status(_ wanted: Int, _ test: RelayUnderTest, _ token: String) async throws -> TestClient.Answer {
        let client = try TestClient(test.relay.address)
        var answer = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, bearer(token))
        for _ in 0..<300 where answer.status != wanted {
            try await Task.sleep(for: .milliseconds(50))
            answer = try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, bearer(token))
        }
        return answer
    }

    @Test("keys that are published anew are picked up, and those that are gone stop to count")
    func rotation() async throws {
        let (old, new) = (Signer(id: "old"), Signer(id: "new"))
        let issuer = try KeyServer(#"{"keys":[\#(old.jwk)]}"#)
        let test = try await relay(Self.published(at: issuer.address))
        #expect(try await status(200, test, try await old.token("u")).status == 200)
        #expect(try await status(401, test, try await new.token("u")).status == 401)
        issuer.answer(#"{"keys":[\#(new.jwk)]}"#)
        #expect(try await status(200, test, try await new.token("u")).status == 200)
        #expect(try await status(401, test, try await old.token("u")).status == 401)
        // What is no key set, too long, or elsewhere changes nothing.
        for (body, line, words) in [
            ("<html>", "200 OK", "no JSON Web Key Set"), (#"{"keys":[]}"#, "200 OK", "no key for ES256"),
            ("", "500 Oh", "status 500"), ("", "302 Found\r\nLocation: http://127.0.0.1:1/", "status 302"),
            (String(repeating: " ", count: 300_000), "200 OK", "the answer is too long"),
        ] {
            issuer.answer(body, status: line)
            #expect(try await test.logs(words))
            #expect(try await status(200, test, try await new.token("u")).status == 200)
        }
        #expect(test.relay.log.contains("token keys not fetched"))
    }

    @Test("keys that are not there at start stop nothing: 503 for tokens until they are, and all others are served")
    func absent() async throws {
        let signer = Signer(id: "a")
        let issuer = try KeyServer("", status: "503 Later")
        let test = try await relay(Self.published(at: issuer.address))
        let answer = try await status(503, test, try await signer.token("u"))
        #expect(answer.status == 503 && answer.headers["retry-after"] == "15")
        let client = try TestClient(test.relay.address)
        #expect(try client.post(test.hook("appsflyer"), #"{"appsflyer_id":"a","customer_user_id":"u"}"#).status == 200)
        let key = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u"]
        #expect(try client.post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, key).status == 200)
        issuer.answer(#"{"keys":[\#(signer.jwk)]}"#)
        #expect(try await status(200, test, try await signer.token("u")).status == 200)
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
    }

    @Test("a key that cannot be used stops the start, with its line")
    func badKeys() throws {
        let directory = try TemporaryDirectory()
        let p384 = try directory.write(ES384PrivateKey().publicKey.pemRepresentation, to: "p384.pem")
        let p256 = try directory.write(ES256PrivateKey().publicKey.pemRepresentation, to: "p256.pem")
        let set = try directory.write(#"{"keys":[]}"#, to: "jwks.json")
        for (keys, words) in [
            ("key: file:\(p384), algorithms: [ES256]", "key: this is no RSA (2048 bits or more), P-256 or Ed25519"),
            ("key: file:\(p256), algorithms: [RS256]", "key: this is a key for ES256, which algorithms does not list"),
            ("jwks: file:\(set), algorithms: [RS256]", "jwks: this file cannot be used: it has no key for RS256"),
        ] {
            let file = try directory.write(
                "apps: { main: { secret_key: env:KEY } }\nprofile_tokens:\n  b: { app: main, audience: a, \(keys) }\n",
                to: "patchbay.yaml")
            let run = try RunningPatchbay.run(["check", "--config", file], environment: ["KEY": "k"])
            #expect(run.status == 78)
            #expect(run.errors.contains("line 3: profile_tokens.b.\(words)"), "\(run.errors)")
        }
    }
}

/// Serves one document over HTTP, which the test may change.
final class KeyServer: Sendable {
    private let answer: Mutex<String>
    private let descriptor: Int32
    let address: String

    init(_ body: String, status: String = "200 OK") throws {
        answer = Mutex(Self.response(body, status))
        (descriptor, address) = try RawUpstream.listen()
        Thread.detachNewThread { [weak self, descriptor] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                var buffer = [UInt8](repeating: 0, count: 65536)
                _ = recv(connection, &buffer, buffer.count, 0)
                let text = Array((self?.answer.withLock { $0 } ?? "").utf8)
                var sent = 0
                while sent < text.count {
                    let count = text[sent...].withUnsafeBytes {
                        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard count > 0 else { break }
                    sent += count
                }
                close(connection)
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    func answer(_ body: String, status: String = "200 OK") {
        answer.withLock { $0 = Self.response(body, status) }
    }

    private static func response(_ body: String, _ status: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
    }
}
