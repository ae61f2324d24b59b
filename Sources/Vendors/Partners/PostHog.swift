import Relay

extension Vendor {
    /// PostHog's HTTP webhook: `{event: {distinct_id, event, properties, timestamp}, person: {properties}}`, the person
    /// optional; or one flat event where the customer's template says so, or several in `batch`, as in its own API.
    ///
    /// Somebody whom PostHog does not know has a version 7 UUID of his library's making for a distinct id: it is a
    /// legal `posthog_distinct_user_id`, and nobody's user id. A group's event has a distinct id that the library made
    /// of the group's (`$company_41`), a personless one from a server has one made for the event.
    static let postHog = Vendor(
        "posthog",
        identifiers: [
            .posthogDistinctUserID: Places(
                "/event/distinct_id", "distinct_id", "/properties/distinct_id", meaningless: postHogRefuses
            )
            .unless(isGroup, because: "the event is about a group")
            .unless(.all([isPersonless, .not(isOfDevice)]), because: "the event is about no person")
        ],
        customerUserID: Places(
            "/event/distinct_id", "distinct_id", "/properties/distinct_id", meaningless: postHogRefuses
        )
        .unless(isPersonless, because: "the event is about no person")
        .unless(.all([isAnonymous, .not(isIdentified)]), because: "PostHog does not know who this is")
        .unless(isOfDevice, because: "it is the id of a device")
        .unless(
            .all([.hasForm(.uuidVersion7), .not(isIdentified)]),
            because: "it is an anonymous id of PostHog's making"),
        customerData: [
            "*", "/person/properties/*", "/event/properties/*", "/event/properties/$set/*", "/properties/*",
            "/properties/$set/*",
        ],
        aboutOthers: ["$group_set", "$groups", "groups"],
        eventTime: ["/event/timestamp", "timestamp"],
        batches: ["/batch", "/events"],
        // Adapty puts its profile id in the user's place where it knows no other.
        echo: .any([
            .isPresent("/event/properties/integration_event_id"), .isPresent("/properties/integration_event_id"),
        ]),
        clientNames: [.posthogDistinctUserID: ["distinct_id"]])

    private static let isGroup = Condition.any([
        .text("/event/event", is: ["$groupidentify"]), .text("event", is: ["$groupidentify"]),
        .isPresent("/event/properties/$group_key"), .isPresent("/properties/$group_key"),
    ])

    private static let isPersonless = Condition.any([
        .text("/event/properties/$process_person_profile", is: ["false"]),
        .text("/properties/$process_person_profile", is: ["false"]),
    ])

    private static let isOfDevice = Condition.isSame(as: [
        "/event/properties/$device_id", "/event/properties/$anon_distinct_id", "/properties/$device_id",
        "/properties/$anon_distinct_id",
    ])

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
