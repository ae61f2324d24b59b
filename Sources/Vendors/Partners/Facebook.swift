import Relay

extension Vendor {
    /// What servers that already report to Meta send there: App Events (a form, query or object) and the Conversions
    /// API (a batch in `data`, which a form holds as JSON in a string). Meta itself sends nothing of the kind.
    ///
    /// `external_id` is often a digest and may be a list: read only where it is configured.
    static let facebook = Vendor(
        "facebook",
        identifiers: [
            .facebookAnonymousID: Places("anon_id", "/user_data/anon_id")
                .unless(
                    .text("action_source", is: ["website", "email", "phone_call", "chat", "physical_store"]),
                    because: "the event is not an app's")
        ],
        customerUserID: Places("app_user_id", "customer_user_id", "/user_data/app_user_id")
            .unless(.hasForm(.sha256), because: "a digest of a user id is not the user id"),
        customerData: ["*", "/custom_data/*", "/user_data/*", "/custom_events/0/*"],
        eventTime: ["event_time", "/custom_events/0/_logTime"],
        batches: ["/data"],
        lookalikes: [
            Lookalike(
                "/user_data/fbp", "/user_data/fbc", "fbp", "fbc", because: "fbp and fbc are cookies of a browser")
        ],
        clientNames: [.facebookAnonymousID: ["anon_id", "anonymous_id"]])
}
