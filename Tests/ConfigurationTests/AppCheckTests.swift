import Relay
import Testing

@testable import Configuration

struct AppCheckTests {
    /// A client key with these keys more, on line 5.
    private static func client(_ keys: String) -> String {
        minimal + "client_keys:\n  ios: { app: main, key: env:CLIENT, \(keys) }\n"
    }

    @Test("app_check is read, with Firebase's keys by default; without it nothing is asked for")
    func read() throws {
        let key = try load(Self.client(#"app_check: { project: "0123456789" }"#)).clientKeys[0]
        #expect(key.appCheck?.project == "0123456789")
        #expect(key.appCheck?.keySetURL == "https://firebaseappcheck.googleapis.com/v1/jwks")
        let other = try load(Self.client("app_check: { project: 7, jwks: \"http://127.0.0.1:9/k\" }")).clientKeys[0]
        #expect(other.appCheck?.project == "7" && other.appCheck?.keySetURL == "http://127.0.0.1:9/k")
        #expect(try load(Self.client("scopes: [write]")).clientKeys[0].appCheck == nil)
    }

    @Test(
        "an app_check that would let nobody in, or everybody, is a mistake with its line",
        arguments: [
            ("app_check: {}", "project: this is missing"),
            ("app_check: { jwks: \"https://keys.example.com/\" }", "project: this is missing"),
            ("app_check: { project: my-app }", "project: this is not the number of a Firebase project"),
            ("app_check: { project: 123 456 }", "project: this is not the number of a Firebase project"),
            ("app_check: { project: 1, jwks: \"http://keys.example.com/\" }", "jwks: keys from off this machine"),
            ("app_check: { project: 1, jwks: \"file:/jwks\" }", "jwks: this is not a URL"),
            ("app_check: { projekt: 1 }", "projekt: there is no such key; did you mean \"project\"?"),
            ("app_check: true", ": this must be a mapping"),
        ])
    func mistaken(_ yaml: String, _ words: String) {
        let found = mistakes(in: Self.client(yaml))
        #expect(found.contains { $0.hasPrefix("line 5: client_keys.ios.app_check") && $0.contains(words) }, "\(found)")
    }
}
