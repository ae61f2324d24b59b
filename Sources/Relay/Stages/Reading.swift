/// A question of a known sender within its limits: what Adapty holds of a profile.
package struct Inquiry: Sendable {
    package let caller: Caller
    package let profile: ProfileReference
    package let app: App
    fileprivate let reader: any Reader

    init(
        _ admitted: Admitted, by normalizer: any Normalizer, limiter: any Limiter, apps: [String: App]
    ) throws(Refusal) {
        caller = admitted.caller
        do throws(Refusal) {
            profile = try normalizer.profile(of: admitted.received.request, of: caller.subject)
            try caller.mayName(profile)
            try limiter.admit(profile, of: caller)
            app = try App(of: caller, in: apps)
            guard app.version == .v2 else { throw .notReadable }
            guard let reader = app.reader else { throw .disabled("This app is disabled for now.") }
            self.reader = reader
        } catch {
            throw error.of(caller)
        }
    }
}

/// What became of a question.
package struct Reading: Sendable {
    package let caller: Caller
    package let profile: ProfileReference
    package let attempt: Attempt

    init(_ inquiry: Inquiry) async {
        caller = inquiry.caller
        profile = inquiry.profile
        attempt = await inquiry.reader.read(inquiry.profile)
    }
}

extension Refusal {
    /// v1 documents no way to read: what its upstream would say of this method.
    static let notReadable = Refusal(
        405, "method_not_allowed", "This app speaks v1 of the API, which cannot be read.",
        headers: [Field("Allow", Method.post.rawValue)])
}
