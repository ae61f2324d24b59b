import Relay
import Testing

@testable import Authentication

struct BasicSchemeTests {
    private let scheme = BasicScheme([Secret("Aladdin:open sesame"), Secret("user:")])

    @Test(
        "user and password are one secret in base64",
        arguments: [
            // The example of RFC 7617 section 2.
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .genuine),
            ("bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .genuine),
            ("Basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .genuine),
            ("Basic dXNlcjo=", .genuine),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZX==", .refused(.malformedCredential)),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", .refused(.malformedCredential)),
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=", .refused(.malformedCredential)),
            ("Basic Aladdin:open sesame", .refused(.malformedCredential)),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .refused(.malformedCredential)),
            ("Basic", .refused(.malformedCredential)),
            ("Basic ", .refused(.wrongCredential)),
            ("Basic QWxhZGRpbjpvcGVu", .refused(.wrongCredential)),
            ("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", .refused(.malformedCredential)),
        ] as [(String, Verdict)])
    func header(value: String, verdict: Verdict) {
        var request = Request(
            method: .post, path: "/hooks/mixpanel", headers: Headers([Field("authorization", value)]))
        #expect(scheme.verify(&request).bare == verdict)
    }

    @Test("two Authorization fields are refused, though both are right")
    func repeated() {
        let field = Field("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        var request = Request(method: .post, path: "/hooks/mixpanel", headers: Headers([field, field]))
        #expect(scheme.verify(&request).bare == .refused(.malformedCredential))
    }

    @Test("without the header there is no credential")
    func missing() {
        var request = Request(method: .post, path: "/hooks/mixpanel")
        #expect(scheme.verify(&request).bare == .refused(.noCredential))
    }
}
