import CryptoExtras
import Foundation
import JWTKit
import Testing

@Suite("The whole process: App Check", .serialized)
struct AppCheckTests {
    private static let key = "canary-app-key-2e91"

    private struct Claims: JWTPayload {
        var iss = "https://firebaseappcheck.googleapis.com/123456789"
        var aud = ["projects/123456789", "projects/my-app"]
        var sub = "1:123456789:ios:a1b2c3"
        var iat = Date.now
        var exp = Date.now.addingTimeInterval(3600)
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    /// Firebase, as far as it matters here.
    private struct Firebase {
        let key: JWTKit.Insecure.RSA.PrivateKey

        init() throws {
            key = try JWTKit.Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        }

        func keys() throws -> String {
            let modulus = try key.publicKey.getKeyPrimitives().modulus.base64EncodedString()
                .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                .replacingOccurrences(of: "=", with: "")
            return #"{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"fb","n":"\#(modulus)","e":"AQAB"}]}"#
        }

        func token(_ claims: Claims = Claims()) async throws -> String {
            try await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256, kid: "fb").sign(claims, kid: "fb")
        }
    }

    private func relay(keysAt address: String) async throws -> RelayUnderTest {
        let settings = """
              app: { app: main, key: env:APP_KEY, app_check: { project: "123456789", jwks: "http://\(address)/jwks" } }
            """
        return try await RelayUnderTest(settings: settings, environment: ["APP_KEY": Self.key])
    }

    private func headers(_ token: String?) -> [String: String] {
        var headers = ["Authorization": "Api-Key \(Self.key)", "adapty-customer-user-id": "u"]
        headers["X-Firebase-AppCheck"] = token
        return headers
    }

    private func post(_ test: RelayUnderTest, _ token: String?, _ path: String = RelayUnderTest.dropIn) throws
        -> TestClient.Answer
    {
        let body = path == RelayUnderTest.dropIn ? #"{"branch_id":"b"}"# : #"{"identity":"b"}"#
        return try TestClient(test.relay.address).post(path, body, headers(token))
    }

    private func status(_ wanted: Int, _ test: RelayUnderTest, _ token: String) async throws -> TestClient.Answer {
        var answer = try post(test, token)
        for _ in 0..<400 where answer.status != wanted {
            try await Task.sleep(for: .milliseconds(50))
            answer = try post(test, token)
        }
        return answer
    }

    @Test("a key taken out of an app is worth nothing: without the app's token it is 401 on every route")
    func taken() async throws {
        let firebase = try Firebase()
        let server = try KeyServer(try firebase.keys())
        let test = try await relay(keysAt: server.address)
        let genuine = try await firebase.token()
        #expect(try await status(200, test, genuine).status == 200)
        #expect(try post(test, genuine, "/client/branch").status == 200)
        let before = try test.held().requests
        var late = Claims()
        late.exp = .now.addingTimeInterval(-60)
        var other = Claims()
        other.aud = ["projects/987654321"]
        let forged = try await Firebase().token()
        for (token, cause) in [
            (nil, "app_check_missing"), (try await firebase.token(late), "app_check_token_expired"),
            (try await firebase.token(other), "app_check_wrong_audience"), (forged, "app_check_wrong_signature"),
            ("eyJhbGciOiJub25lIn0.e30.", "app_check_algorithm_not_allowed"), ("x", "app_check_malformed_token"),
        ] as [(String?, String)] {
            for path in [RelayUnderTest.dropIn, RelayUnderTest.dropInV1, "/client/branch"] {
                let answer = try post(test, token, path)
                #expect(answer.status == 401 && answer.json?["errors"] as? [String] == ["Invalid API key"])
            }
            #expect(try await test.logs(#""cause":"\#(cause)""#))
            if let token, token.count > 1 { #expect(!test.relay.log.contains(token)) }
        }
        #expect(!test.relay.log.contains(genuine))
        #expect(try test.held().requests == before)
        // The keys beside it need no token.
        let plain = ["Authorization": "Api-Key \(RelayUnderTest.clientKey)", "adapty-customer-user-id": "u2"]
        #expect(
            try TestClient(test.relay.address).post(RelayUnderTest.dropIn, #"{"branch_id":"b"}"#, plain).status == 200)
    }

    @Test("App Check's keys that cannot be had are 503 with Retry-After until they can, and hold up nobody else")
    func absent() async throws {
        let firebase = try Firebase()
        let server = try KeyServer("", status: "503 Later")
        let test = try await relay(keysAt: server.address)
        let genuine = try await firebase.token()
        let answer = try await status(503, test, genuine)
        #expect(answer.status == 503 && answer.headers["retry-after"] == "15")
        #expect(try post(test, nil).status == 401)
        #expect(try TestClient(test.relay.address).post(test.hook("appsflyer"), #"{"appsflyer_id":"a"}"#).status == 200)
        server.answer(try firebase.keys())
        #expect(try await status(200, test, genuine).status == 200)
    }
}
