/// `sources.NAME`: one sender of webhooks, at `/hooks/NAME`.
package struct SourceConfiguration: Sendable {
    package let name: String
    /// Whose payloads it sends: a built-in vendor, or one under `vendors`; required.
    package let vendor: String
    /// Whose profiles they are about; required.
    package let app: String
    /// How it proves itself; required.
    package let auth: AuthConfiguration
    /// `cors`: the web pages that may call it; a request that names another origin is refused. Default: none, and what
    /// a request says of its origin is not looked at.
    package let origins: [String]
    /// False: kept here, and answered 503 once it has proved itself. Default: true.
    package let isEnabled: Bool

    init(_ section: Section, named name: String, in surroundings: Surroundings, _ names: Names) {
        self.name = name
        vendor = section.required("vendor", .vendor(names)) ?? ""
        app = section.required("app", .app(names)) ?? ""
        auth = AuthConfiguration(of: section, in: surroundings)
        origins = section.list("cors", .origin, default: [])
        isEnabled = section.value("enabled", .flag, default: true)
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
