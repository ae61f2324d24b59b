import CCurl
import Relay
import Testing

@testable import AdaptyAPI

@Suite("Where requests go")
struct EndpointTests {
    static let path = "/server-side-api/integration/profile/set/integration-identifiers/"

    @Test(
        "the documented path stands behind the upstream, with its slash",
        arguments: [
            ("https://api.adapty.io", APIVersion.v2, "https://api.adapty.io/api/v2\(path)"),
            ("https://api.adapty.io/", .v1, "https://api.adapty.io/api/v1\(path)"),
            ("http://[::1]:8080", .v2, "http://[::1]:8080/api/v2\(path)"),
            ("http://10.0.0.1:80/adapty//", .v2, "http://10.0.0.1:80/adapty/api/v2\(path)"),
        ])
    func url(upstream: String, version: APIVersion, expected: String) throws {
        #expect(try Endpoint(upstream, version: version).url[CURLUPART_URL] == expected)
    }

    @Test(
        "what is no upstream stops the start, and is not quoted",
        arguments: [
            "", "api.adapty.io", "//api.adapty.io", "ftp://api.adapty.io", "file:///etc/passwd", "https://",
            "https://user:secret@api.adapty.io", "https://secret@api.adapty.io", "https://api.adapty.io/?secret=1",
            "https://api.adapty.io/#secret", "https://api.adapty.io/\r\nsecret", "https://a b", "https://a:99999",
        ])
    func mistakes(upstream: String) {
        do {
            let endpoint = try Endpoint(upstream, version: .v2)
            Issue.record("accepted: \(endpoint)")
        } catch {
            #expect(error.key == "upstream")
            #expect(!error.message.contains("secret@") && !error.message.contains("secret="))
        }
    }
}
