import CryptoExtras
import Foundation
import JWTKit
import Relay

@testable import Authentication

/// Makes tokens as an issuer does, and as an attacker does: any header and any claims, really signed.
struct Minter: Sendable {
    let algorithm: any JWTAlgorithm
    /// What the other side is given.
    let key: VerificationKey
    let pem: String

    var name: String { key.algorithm.rawValue }

    func token(header: String? = nil, claims: String = Self.claims()) throws -> String {
        let signed = Self.encode(header ?? #"{"alg":"\#(name)","typ":"JWT"}"#) + "." + Self.encode(claims)
        return signed + "." + Self.encode(try algorithm.sign(Array(signed.utf8)))
    }

    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    /// The claims of a token that is fine, with these instead of them or beside them; nil leaves one out.
    static func claims(_ changes: [String: String?] = [:]) -> String {
        var claims: [String: String] = [
            "iss": #""https://auth.example.com""#, "aud": #""patchbay""#, "sub": #""usr_1""#, "exp": "1800000300",
            "iat": "1799999990",
        ]
        for (name, value) in changes { claims[name] = value }
        return "{" + claims.map { #""\#($0)":\#($1)"# }.sorted().joined(separator: ",") + "}"
    }

    static func encode(_ text: String) -> String { encode(Array(text.utf8)) }

    static func encode(_ bytes: some Collection<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
}

/// Keys of issuers, made once a run.
enum Keys {
    private static let hs256 = Task { try await hmac(Array("canary-secret-of-the-issuer-0123456789".utf8)) }
    private static let es256 = Task { try await p256() }
    private static let edDSA = Task {
        let key = try EdDSA.PrivateKey()
        let collection = await JWTKeyCollection().add(eddsa: key)
        return Minter(
            algorithm: try await collection.getKey(), key: VerificationKey(.ed25519(key.publicKey)),
            pem: key.publicKey.pemRepresentation)
    }
    private static let rs256 = Task {
        let key = try Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        let collection = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
        return Minter(
            algorithm: try await collection.getKey(), key: VerificationKey(.rsa(key.publicKey)),
            pem: key.publicKey.pemRepresentation)
    }

    static func of(_ algorithm: TokenAlgorithm) async throws -> Minter {
        switch algorithm {
        case .hs256: try await hs256.value
        case .rs256: try await rs256.value
        case .es256: try await es256.value
        case .edDSA: try await edDSA.value
        }
    }

    /// A new one each time.
    static func p256() async throws -> Minter {
        let key = ES256PrivateKey()
        let collection = await JWTKeyCollection().add(ecdsa: key)
        return Minter(
            algorithm: try await collection.getKey(), key: VerificationKey(.p256(key.publicKey)),
            pem: key.publicKey.pemRepresentation)
    }

    static func hmac(_ secret: [UInt8]) async throws -> Minter {
        let key = HMACKey(from: secret)
        let collection = await JWTKeyCollection().add(hmac: key, digestAlgorithm: .sha256)
        return Minter(algorithm: try await collection.getKey(), key: VerificationKey(.secret(key)), pem: "")
    }
}

/// Some issuers, and the client keys beside them.
struct Rig {
    let clients: ClientKeys

    private static let ios = ClientKey(name: "ios", app: "main", scopes: [.write])

    init(_ issuers: TokenIssuer..., tokenApps: Set<String> = []) {
        clients = ClientKeys(
            [(Self.ios, [Secret("canary-ios")])], tokens: ProfileTokens(issuers) { Minter.now }, tokenApps: tokenApps)
    }

    /// Who sends `Authorization: Bearer TOKEN`.
    func client(
        _ token: String, scheme: String = "Bearer", method: Relay.Method = .post
    ) throws(Refusal) -> ClientKey {
        let headers = Headers([Field("Authorization", "\(scheme) \(token)")])
        return try clients.client(of: Request(method: method, path: "/", headers: headers))
    }

    /// Why not; `none` for a token that is believed.
    func cause(_ token: String) -> String {
        do throws(Refusal) {
            _ = try client(token)
            return "none"
        } catch {
            return error.status == 401 && error.message == "Invalid API key" ? error.cause : "\(error.status)"
        }
    }
}

extension TokenIssuer {
    static func backend(_ minters: Minter..., name: String = "backend", app: String = "main") async throws -> Self {
        TokenIssuer(
            name: name, app: app, scopes: [.write], algorithms: Set(minters.map(\.key.algorithm)),
            issuer: "https://auth.example.com", audience: ["patchbay"],
            keys: try await TokenKeys(minters.map { (nil, $0.key) }))
    }
}
