package import Relay

/// `sources.NAME`: one sender of webhooks, at `/hooks/NAME`.
package struct SourceConfiguration: Sendable {
    package let name: String
    /// Whose payloads it sends: a built-in vendor, or one under `vendors`; required.
    package let vendor: String
    /// Whose profiles they are about; required.
    package let app: String
    /// How it proves itself; required.
    package let auth: AuthConfiguration

    init(_ section: Section, named name: String, in surroundings: Surroundings, _ names: Names) {
        self.name = name
        vendor = section.required("vendor", .vendor(names)) ?? ""
        app = section.required("app", .app(names)) ?? ""
        auth = AuthConfiguration(section, in: surroundings)
    }
}

/// `sources.NAME.auth`: `none` in so many words, or a token or Basic.
package enum AuthConfiguration: Sendable {
    /// Anybody may send.
    case none
    case token([Secret], TokenPlace)
    /// `user:password` each.
    case basic([Secret])

    package enum TokenPlace: Sendable, Equatable {
        /// A parameter of the query. Default name: token.
        case query(name: String)
        /// A header, and what stands before the token in it. Default: Authorization, and nothing.
        case header(name: String, prefix: String)
    }

    private enum Place: String, CaseIterable {
        case query, header
    }

    fileprivate init(_ source: Section, in surroundings: Surroundings) {
        guard source.contains("auth") else {
            source.mistake("auth", "this is missing; write auth: none if anybody may send")
            self = .none
            return
        }
        if source.text(of: "auth") != nil {
            _ = source.required("auth", .noAuthentication)
            self = .none
            return
        }
        self = source.section("auth") { AuthConfiguration(section: $0, in: surroundings) }
    }

    private init(section: Section, in surroundings: Surroundings) {
        switch (section.contains("token"), section.contains("basic")) {
        case (true, true):
            section.mistake("basic", "there is a token as well; one of the two must go")
            _ = section.requiredList("basic", .secret(in: surroundings))
        case (true, false), (false, false):
            break
        case (false, true):
            let credentials = section.requiredList("basic", .secret(in: surroundings)).map(\.secret)
            if credentials.contains(where: { !$0.reveal { $0.contains(UInt8(ascii: ":")) } }) {
                section.mistake("basic", "this secret must be a user and a password with a colon between them")
            }
            self = .basic(credentials)
            return
        }
        let tokens = section.requiredList(
            "token", .secret(in: surroundings), missing: "there must be a token or basic here"
        ).map(\.secret)
        switch section.value("in", .choice, default: Place.header) {
        case .query:
            let name = section.value("name", .text("the name of a parameter"), default: "token")
            self = .token(tokens, .query(name: name))
        case .header:
            let name = section.value("name", .headerName, default: "Authorization")
            let prefix = section.optional("prefix", .text("what stands before the token, such as Bearer")) ?? ""
            self = .token(tokens, .header(name: name, prefix: prefix.separated))
        }
    }
}

extension String {
    /// YAML drops the blank behind `Bearer`, and no sender means `Bearertoken`.
    fileprivate var separated: String {
        utf8.last?.isLetterOrDigit == true ? self + " " : self
    }
}

extension Kind<Void> {
    fileprivate static var noAuthentication: Kind<Void> {
        Kind("none, or a mapping with a token or basic", write: { "none" }) { $0 == "none" ? () : nil }
    }
}

extension Kind<String> {
    static func app(_ names: Names) -> Kind<String> { .reference(to: "app", names.apps) }

    static func vendor(_ names: Names) -> Kind<String> { .reference(to: "vendor", names.vendors) }

    private static func reference(to what: String, _ names: Set<String>) -> Kind<String> {
        Kind(
            "the name of an \(what)",
            read: { text throws(Wrong) in
                guard names.contains(text) else {
                    let guess = names.closest(to: text).map { "; did you mean \"\($0)\"?" } ?? ""
                    throw Wrong("there is no \(what) of this name\(guess)")
                }
                return text
            }, write: { $0 })
    }
}
