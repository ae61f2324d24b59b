import Relay
import Testing

@testable import Configuration

struct OriginTests {
    private static func yaml(_ origins: String) -> String {
        minimal + """
            sources:
              page: { vendor: appsflyer, app: main, auth: none, cors: \(origins) }
            client_keys:
              web: { app: main, key: env:CLIENT, origins: \(origins) }
            """
    }

    @Test("origins are read as browsers write them, by default there are none")
    func read() throws {
        let origins = [
            "https://app.example.com", "http://localhost:3000", "https://[::1]:8443", "capacitor://localhost",
            "https://xn--bcher-kva.example", "chrome-extension://abcdefghijklmnop",
        ]
        let list = "[" + origins.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        let read = try load(Self.yaml(list))
        #expect(read.sources[0].origins == origins && read.clientKeys[0].origins == origins)
        #expect(try load(Self.yaml("https://app.example.com")).clientKeys[0].origins == ["https://app.example.com"])
        let plain = try load(minimal + "client_keys: { ios: { app: main, key: env:CLIENT } }\n")
        #expect(plain.clientKeys[0].origins == [])
    }

    @Test(
        "an origin that no browser would send, or that anybody could, is a mistake with its line",
        arguments: [
            ("\"*\"", "this would let in every page there is"), ("\"null\"", "it cannot be allowed"),
            ("[null]", "there is no value here"), ("https://app.example.com/", "leave out the / and what follows"),
            ("https://app.example.com/shop", "leave out the / and what follows"),
            ("https://app.example.com?x", "leave out the / and what follows"),
            ("https://App.example.com", "in lower case"), ("HTTPS://app.example.com", "in lower case"),
            ("https://app.example.com:443", "leave out the port"), ("http://localhost:80", "leave out the port"),
            ("app.example.com", "this is not an origin"), ("https://", "this is not an origin"),
            ("https://*.example.com", "this is not an origin"), ("https://u@example.com", "this is not an origin"),
            ("https://a.example.com:0", "this is not an origin"), ("https://a:070", "this is not an origin"),
            ("https://a.example.com:65536", "this is not an origin"),
            ("https://bücher.example", "this is not an origin"),
            ("\"https://a b\"", "this is not an origin"),
        ])
    func mistaken(_ origin: String, _ words: String) {
        let found = mistakes(in: Self.yaml(origin))
        #expect(found.contains { $0.hasPrefix("line 5: sources.page.cors: ") && $0.contains(words) }, "\(found)")
        #expect(found.contains { $0.hasPrefix("line 7: client_keys.web.origins: ") && $0.contains(words) }, "\(found)")
    }
}
