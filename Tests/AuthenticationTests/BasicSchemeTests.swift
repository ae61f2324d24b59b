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
        #expect(scheme.verify(&request) == verdict)
    }

    @Test("without the header there is no credential")
    func missing() {
        var request = Request(method: .post, path: "/hooks/mixpanel")
        #expect(scheme.verify(&request) == .refused(.noCredential))
    }
}

struct Base64Tests {
    @Test(
        "the test vectors of RFC 4648 section 10",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ])
    func vectors(encoded: String, decoded: String) {
        #expect(Base64.decode(encoded.utf8) == Array(decoded.utf8))
    }

    @Test("all digits are read")
    func digits() {
        #expect(Base64.decode("+/+/".utf8) == [0xfb, 0xff, 0xbf])
        #expect(Base64.decode("AZaz09+/".utf8) == [0x01, 0x96, 0xb3, 0xd3, 0xdf, 0xbf])
    }

    @Test(
        "one value has one spelling",
        arguments: ["Zg", "Zg=", "Z===", "====", "=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm-_", "Z=9v", "Zm8=Zm8="])
    func strict(encoded: String) {
        #expect(Base64.decode(encoded.utf8) == nil)
    }
}
