package import Relay

/// `client_keys.NAME`: what an app of yours carries instead of the secret key.
package struct ClientKeyConfiguration: Sendable {
    package let name: String
    /// Whose profiles it may name; required.
    package let app: String
    /// The key itself, made by you; required. Several are valid at once while they are being rotated.
    package let secrets: [Secret]
    /// Default: write.
    package let scopes: Set<ClientKey.Scope>
    /// What must be proved beside it. Default: nothing.
    package let appCheck: AppCheckConfiguration?
    /// The web pages that may use it; a request that names another origin is refused. Default: none.
    package let origins: [String]
    /// False: kept here, and answered 503. Default: true.
    package let isEnabled: Bool
    let line: Int

    init(_ section: Section, named name: String, in surroundings: Surroundings, _ names: Names) {
        self.name = name
        line = section.line(of: "key")
        app = section.required("app", .app(names)) ?? ""
        secrets = section.requiredList("key", .secret(in: surroundings)).map(\.secret)
        let scopes = section.list("scopes", Kind<ClientKey.Scope>.choice, default: [.write])
        if scopes.isEmpty { section.mistake("scopes", "there must be at least one of write, read") }
        self.scopes = Set(scopes)
        let hasAppCheck = section.contains("app_check")
        appCheck = section.section("app_check") { AppCheckConfiguration($0, isThere: hasAppCheck) }
        origins = section.list("origins", .origin, default: [])
        isEnabled = section.value("enabled", .flag, default: true)
        if secrets.contains(where: { $0.hasPrefix("secret_live_") }) {
            section.mistake("key", "this is a secret key of Adapty's; make a key of your own for apps to carry")
        }
    }
}
