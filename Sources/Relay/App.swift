/// One Adapty app, as the stages in front of the outbox know it.
package struct App: Sendable {
    /// Which shape of the API its upstream speaks: what it can be told, and what it answers.
    package let version: APIVersion
    /// Nil for one that is disabled: what comes for it is kept, and nothing goes out.
    package let reader: (any Reader)?

    package init(version: APIVersion, reader: (any Reader)?) {
        self.version = version
        self.reader = reader
    }

    /// The app that a caller may speak for.
    init(of caller: Caller, in apps: [String: App]) throws(Refusal) {
        // The configuration binds every source and client key to an app that is there.
        guard let app = apps[caller.app] else {
            throw .unavailable("This app is not configured.", retryAfter: 60, cause: "no app \(caller.app)")
        }
        self = app
    }
}
