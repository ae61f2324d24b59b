extension Vendor {
    /// The vendors that need no configuration. Each has a file of its own here.
    static let builtIn: [Vendor] = [
        adjust, airbridge, amplitude, appMetrica, appsflyer, branch, facebook, firebase, mixpanel, oneSignal, postHog,
        pushwoosh, tenjin,
    ]
}
