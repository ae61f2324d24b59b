import Glibc
import TestCertificates
import Testing

@testable import TLS

@Suite("TLS contexts")
struct TLSContextTests {
    private let files: TestCertificates
    private let server: TestCertificates.Pair

    init() throws {
        files = try TestCertificates()
        server = try files.make("server", name: "hooks.example.com")
    }

    private var settings: TLSSettings { TLSSettings(certificate: server.certificate, key: server.key) }

    private func mistake(_ settings: TLSSettings) -> TLSMistake? {
        do throws(TLSMistake) {
            _ = try TLSContext(settings)
            return nil
        } catch {
            return error
        }
    }

    @Test("a certificate is known by its name, its last day and its fingerprint")
    func facts() throws {
        let certificate = try TLSContext(settings).certificate
        #expect(certificate.commonName == "hooks.example.com")
        #expect(certificate.fingerprint.utf8.count == 64)
        let left = certificate.notAfter - Int64(time(nil))
        #expect((86400 * 2 - 600...86400 * 2).contains(left))
    }

    @Test("files that cannot be used are told by their setting, and why")
    func mistakes() throws {
        let other = try files.make("other")
        let text = try files.write("no PEM\n", to: "text")
        let locked = try files.encrypted(server)

        var settings = settings
        settings.certificate = "/no/where.pem"
        #expect(
            mistake(settings)?.description
                == "certificate: no certificate can be read from the file /no/where.pem: No such file or directory")
        settings.certificate = text
        #expect(
            mistake(settings)?.description
                == "certificate: no certificate can be read from the file \(text): no start line")

        settings = self.settings
        settings.key = "/no/where.key"
        #expect(
            mistake(settings)?.description
                == "key: no key can be read from the file /no/where.key: No such file or directory")
        settings.key = text
        #expect(mistake(settings)?.description.hasPrefix("key: no key can be read from the file \(text): ") == true)
        settings.key = locked
        #expect(
            mistake(settings)?.description
                == "key: the key in the file \(locked) has a passphrase, which nobody is there to type")
        settings.key = other.key
        #expect(
            mistake(settings)?.description == "key: the key in the file \(other.key) is not that of the certificate")

        settings = self.settings
        settings.clientCA = text
        #expect(
            mistake(settings)?.description
                == "client_ca: no certificate can be read from the file \(text): no certificate or crl found")
    }

    @Test("a certificate that has expired, and a key that everybody can read, are warned of")
    func warnings() throws {
        chmod(server.key, 0o600)
        let context = try TLSContext(settings)
        #expect(context.warnings(at: context.certificate.notAfter) == [])
        #expect(context.warnings(at: context.certificate.notAfter + 1) == ["the certificate has expired"])
        chmod(server.key, 0o644)
        #expect(context.warnings(at: 0) == ["the key file can be read by every user of this machine"])
    }

    @Test("what is adopted is the context that was made, whatever its files hold by then")
    func adoption() throws {
        let acceptor = TLSAcceptor(try TLSContext(settings))
        let first = acceptor.context.certificate
        try files.replace(server, with: files.make("renewed"))
        let renewed = try TLSContext(settings)
        #expect(renewed.certificate != first && acceptor.context.certificate == first)

        _ = try files.write("torn", to: "server.pem")
        #expect(throws: TLSMistake.self) { try TLSContext(settings) }
        acceptor.adopt(renewed)
        #expect(acceptor.context.certificate == renewed.certificate)
    }
}
