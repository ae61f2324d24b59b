import Relay

extension Vendor {
    /// PostHog's HTTP webhook: `{event: {distinct_id, event, properties, timestamp}, person: {properties}}`, the person
    /// optional; or one flat event where the customer's template says so.
    ///
    /// Somebody whom PostHog does not know has a version 7 UUID of his library's making for a distinct id: it is a
    /// legal `posthog_distinct_user_id`, and nobody's user id.
    static let postHog = Vendor(
        "posthog",
        identifiers: [.posthogDistinctUserID: Places("/event/distinct_id", "distinct_id", meaningless: postHogRefuses)],
        customerUserID: Places("/event/distinct_id", "distinct_id", meaningless: postHogRefuses)
            .unless(.all([isAnonymous, .not(isIdentified)]), because: "PostHog does not know who this is")
            .unless(
                .isSame(as: [
                    "/event/properties/$device_id", "/event/properties/$anon_distinct_id", "/properties/$device_id",
                    "/properties/$anon_distinct_id",
                ]), because: "it is the id of a device"
            )
            .unless(
                .all([.hasForm(.uuidVersion7), .not(isIdentified)]),
                because: "it is an anonymous id of PostHog's making"),
        customerData: [
            "*", "/person/properties/*", "/event/properties/*", "/event/properties/$set/*", "/properties/*",
            "/properties/$set/*",
        ],
        eventTime: ["/event/timestamp", "timestamp"],
        // Adapty puts its profile id in the user's place where it knows no other.
        echo: .any([
            .isPresent("/event/properties/integration_event_id"), .isPresent("/properties/integration_event_id"),
        ]),
        clientNames: [.posthogDistinctUserID: ["distinct_id"]])

    private static let isAnonymous = Condition.any([
        .text("/event/properties/$is_identified", is: ["false"]), .text("/properties/$is_identified", is: ["false"]),
    ])

    /// What says that a distinct id is the customer's, whatever it looks like.
    private static let isIdentified = Condition.any([
        .text("/event/properties/$is_identified", is: ["true"]), .text("/properties/$is_identified", is: ["true"]),
        .text("/event/event", is: ["$identify"]), .text("event", is: ["$identify"]),
        .isSame(as: ["/event/properties/$user_id", "/properties/$user_id"]),
    ])

    /// What PostHog itself takes for no id at all.
    private static let postHogRefuses = Meaningless.usual.and([
        "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email", "true", "false",
    ])
}
