extension Vendor {
    /// The vendors that need no configuration. Each has a file of its own here.
    static let builtIn: [Vendor] = [
        amplitude, appsflyer, oneSignal,
    ]
}
