import Glibc
import Relay
import Testing

@testable import AdaptyAPI

@Suite("TLS", .enabled(if: TLSUpstream.isPossible, "needs openssl in /usr/bin"))
struct TLSTests {
    @Test("a certificate that nobody vouches for is refused, and tried again later")
    func selfSigned() async throws {
        try await withTLSUpstream(name: "IP:127.0.0.1") { api, _ in
            let outcome = await api.read(somebody).outcome
            #expect(outcome.name == "failed")
            #expect(outcome.failure?.code == "tls_failed")
            #expect(outcome.failure?.message.hasPrefix("curl 60: ") == true)
        }
    }

    @Test("the same certificate is accepted where its authority is configured")
    func authorityFile() async throws {
        try await withTLSUpstream(name: "IP:127.0.0.1", trusted: true) { api, _ in
            for _ in 0..<3 {
                let attempt = await api.read(somebody)
                // It answers with a page, which Adapty does not.
                #expect(attempt.answer?.status == 200)
                #expect(attempt.answer?.body.isEmpty == false)
            }
        }
    }

    @Test("a certificate for another name is refused, whoever vouches for it")
    func otherName() async throws {
        try await withTLSUpstream(name: "DNS:api.example.com", trusted: true) { api, _ in
            #expect(await api.read(somebody).outcome.failure?.code == "tls_failed")
        }
    }

    @Test("authorities that hold no certificate vouch for nobody", arguments: ["", "none"])
    func noAuthorities(_ text: String) async throws {
        try await withTLSUpstream(name: "IP:127.0.0.1", authorities: Array(text.utf8)) { api, _ in
            #expect(await api.read(somebody).outcome.failure?.code == "tls_failed")
        }
    }
}

/// `openssl s_server`, which answers every GET with a page about the connection, and a certificate made for it.
private func withTLSUpstream(
    name: String, trusted: Bool = false, authorities: [UInt8]? = nil,
    _ body: (AdaptyAPI, TLSUpstream) async throws -> Void
) async throws {
    let upstream = try TLSUpstream(name: name)
    defer { upstream.stop() }
    try await withLoops { loops in
        var settings = AdaptyAPI.Settings(upstream: "https://127.0.0.1:\(upstream.port)", secretKeys: [Secret("k")])
        (settings.connectTimeout, settings.timeout) = (.seconds(60), .seconds(60))
        settings.authorities = trusted ? try upstream.certificateBytes : authorities
        // What was read counts, not what the file holds when a connection is made.
        if trusted { unlink(upstream.certificate) }
        let api = try AdaptyAPI(settings, on: loops)
        try await body(api, upstream)
        await api.close(grace: .zero)
    }
}

private struct TLSUpstream {
    static let openssl = "/usr/bin/openssl"
    static let isPossible = access(openssl, X_OK) == 0

    struct Failed: Error {
        let what: String
    }

    let port: UInt16
    let certificate: String
    private let key: String
    private let process: pid_t

    init(name: String) throws {
        let stem = "/tmp/patchbay-tls-\(getpid())-\(UniqueID.v7(at: .now))"
        certificate = stem + ".pem"
        key = stem + ".key"
        port = try closedPort()
        let maker = try Self.spawn([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=patchbay test", "-addext", "subjectAltName=\(name)", "-keyout", key, "-out", certificate,
        ])
        var status: Int32 = 0
        waitpid(maker, &status, 0)
        guard status == 0 else { throw Failed(what: "openssl req") }
        process = try Self.spawn([
            "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www", "-quiet",
        ])
        for _ in 0..<5000 where !canConnect(to: port) { usleep(1000) }
    }

    var certificateBytes: [UInt8] {
        get throws {
            guard let file = fopen(certificate, "r") else { throw Failed(what: "fopen \(certificate)") }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = fread(&bytes, 1, bytes.count, file)
            return Array(bytes[..<count])
        }
    }

    func stop() {
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        unlink(certificate)
        unlink(key)
    }

    private static func spawn(_ arguments: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var words = ([openssl] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        guard posix_spawn(&process, openssl, &actions, nil, &words, environ) == 0 else {
            throw Failed(what: "posix_spawn \(openssl)")
        }
        return process
    }
}
