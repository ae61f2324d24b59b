/// `client_keys.NAME.app_check`: requests with the key must carry a Firebase App Check token as well, which only a
/// genuine app can get.
package struct AppCheckConfiguration: Sendable {
    /// The Firebase project's number; required.
    package let project: String
    /// Where its keys are published; https unless on loopback. Default: Firebase's own.
    package let keySetURL: String

    static let firebase = "https://firebaseappcheck.googleapis.com/v1/jwks"

    /// Nil where the section is not there.
    init?(_ section: Section, isThere: Bool) {
        let project = section.optional("project", .projectNumber)
        keySetURL = section.value("jwks", .keySetURL, default: Self.firebase)
        if isThere, !section.contains("project") { section.mistake("project", "this is missing") }
        guard let project else { return nil }
        self.project = project
    }
}

extension Kind<String> {
    /// Digits alone: the project's id would never stand in a token.
    fileprivate static var projectNumber: Kind<String> {
        Kind("the number of a Firebase project, such as \"123456789\" (its id is another)", write: { $0 }) { text in
            (1...20).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? text : nil
        }
    }

    fileprivate static var keySetURL: Kind<String> {
        Kind(
            "a URL such as \(AppCheckConfiguration.firebase)",
            read: { text throws(Wrong) in
                guard let url = UpstreamURL(text) else { throw Wrong("this is not \(Self.keySetURL.name)") }
                guard url.isSafe else { throw Wrong("keys from off this machine must come by https") }
                return text
            }, write: { $0 })
    }
}
