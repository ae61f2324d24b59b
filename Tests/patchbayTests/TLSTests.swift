import Foundation
import TestCertificates
import Testing

/// The whole process with TLS, and `curl` before it.
@Suite("A relay that speaks TLS")
struct TLSTests {
    private let files: TestCertificates
    private let pair: TestCertificates.Pair

    init() throws {
        files = try TestCertificates()
        pair = try files.make("server", name: "first")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pair.key)
    }

    private var settings: String { "tls: { listen: 127.0.0.1:0, certificate: \(pair.certificate), key: \(pair.key) }" }

    /// Where the log says that TLS is spoken.
    private func address(_ test: RelayUnderTest) throws -> String {
        let match = try #require(try Regex(#""tls":"(127\.0\.0\.1:\d+)""#).firstMatch(in: test.relay.log))
        return String(try #require(match.output[1].substring))
    }

    private func curl(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        // Other tests set a proxy in the environment, to see that it is not used.
        process.arguments = ["-sS", "-m", "20", "--noproxy", "*"] + arguments
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    private func post(_ test: RelayUnderTest, trusting certificate: String) throws -> (status: Int32, output: String) {
        try curl([
            "--cacert", certificate, "-H", "Content-Type: application/json", "-d",
            #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#,
            "https://\(address(test))\(test.hook("appsflyer"))",
        ])
    }

    @Test("a webhook over TLS is accepted, logged with its version, and counted; a failed handshake is counted alone")
    func accepted() async throws {
        let test = try await RelayUnderTest(settings: settings)
        #expect(try post(test, trusting: pair.certificate).output.contains(#""accepted":1"#))
        #expect(try await test.logs(#""tls":"TLSv1.3""#))
        #expect(!test.relay.log.contains(RelayUnderTest.token))
        #expect(test.relay.log.contains(#""message":"certificate""#))
        let expires = try test.metric("patchbay_tls_certificate_expires_seconds")
        #expect(expires > Date().timeIntervalSince1970)
        // A client that does not believe the certificate says so.
        let other = try files.make("other")
        #expect(try post(test, trusting: other.certificate).status == 60)
        try await failed(test, "refused")
        // The plain listener is as it was.
        #expect(try TestClient(test.relay.address).post(test.hook("appsflyer"), "{}").status == 200)
        test.relay.send(SIGTERM)
        #expect(try await test.relay.ended() == 0)
        #expect(!test.relay.log.contains("handshake failed"))
    }

    @Test("SIGHUP takes a new certificate, and keeps the old one where the new is no good")
    func reload() async throws {
        let test = try await RelayUnderTest(settings: settings)
        let expired = try test.metric("patchbay_tls_certificate_expires_seconds")
        let first = try files.write(String(contentsOfFile: pair.certificate, encoding: .utf8), to: "first.pem")
        let second = try files.make("second", name: "second")

        _ = try files.write("torn", to: "server.pem")
        try await hangUp(test, until: "the configuration is not reloaded; the old one stays")
        #expect(try post(test, trusting: first).status == 0)

        try files.replace(pair, with: second)
        try await hangUp(test, until: "certificate read again")
        #expect(try post(test, trusting: second.certificate).status == 0)
        #expect(try post(test, trusting: first).status == 60)
        #expect(try test.metric("patchbay_tls_certificate_expires_seconds") >= expired)
    }

    private func hangUp(_ test: RelayUnderTest, until words: String) async throws {
        for _ in 0..<100 where !test.relay.log.contains(words) {
            test.relay.send(SIGHUP)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(test.relay.log.contains(words))
    }

    @Test("a client certificate is asked for where an authority is named, and its name is in the log")
    func clientCertificate() async throws {
        let authority = try files.make("clients", name: "Clients")
        let client = try files.make("billing", name: "billing", by: authority)
        let settings = settings.replacingOccurrences(of: " }", with: ", client_ca: \(authority.certificate) }")
        let test = try await RelayUnderTest(settings: settings + "\nlog: { level: debug }")
        let url = "https://\(try address(test))/livez"
        let named = try curl([
            "--cacert", pair.certificate, "--cert", client.certificate, "--key", client.key, url, "-w", "%{http_code}",
            "-o", "/dev/null", "-X", "POST",
        ])
        #expect(named.output == "405")
        #expect(try await test.logs(#""client_certificate":"billing""#))
        #expect(try curl(["--cacert", pair.certificate, url]).status != 0)
        try await failed(test, "client_certificate")
        #expect(try await test.logs(#""reason":"client_certificate""#))
    }

    /// Until one handshake is counted that failed for this reason.
    private func failed(_ test: RelayUnderTest, _ reason: String) async throws {
        func count() throws -> Double {
            try test.metric("patchbay_tls_handshake_failures_total", "reason=\"\(reason)\"")
        }
        for _ in 0..<250 where try count() == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try count() == 1)
    }

    @Test(
        "check and serve find a key of another certificate, with its line, and end with 78",
        arguments: ["check", "serve"])
    func mistakes(_ command: String) async throws {
        let other = try files.make("other")
        let configuration = try files.write(
            """
            apps: { main: { secret_key: env:KEY } }
            tls:
              listen: 127.0.0.1:0
              certificate: \(pair.certificate)
              key: \(other.key)
            """, to: "patchbay.yaml")
        let result = try RunningPatchbay.run(
            [command, "--config", configuration], environment: ["KEY": "secret_live_x"])
        #expect(result.status == 78)
        #expect(
            result.errors.contains("line 5: tls.key: the key in the file \(other.key) is not that of the certificate"))
    }

    @Test("check warns of a key that everybody can read")
    func warning() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pair.key)
        let configuration = try files.write(
            "apps: { main: { secret_key: env:KEY } }\n\(settings)\n", to: "patchbay.yaml")
        let result = try RunningPatchbay.run(
            ["check", "--config", configuration], environment: ["KEY": "secret_live_x"])
        #expect(result.status == 0)
        #expect(result.errors.contains("tls: the key file can be read by every user of this machine"))
    }
}
