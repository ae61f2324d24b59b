import Relay

extension Vendor {
    /// Mixpanel's cohort sync: `{action, parameters: {members: [{mixpanel_distinct_id, email, ...exported
    /// properties}]}}`, 1000 members a call; and single events as customers forward them, `{event, properties:
    /// {distinct_id, $user_id, $device_id, time}}`.
    ///
    /// Who leaves a cohort keeps his ids, so `remove_members` is read like the others. An anonymous `$device:...` is a
    /// legal `mixpanel_user_id`, and nobody's user id.
    static let mixpanel = Vendor(
        "mixpanel",
        identifiers: [
            .mixpanelUserID: Places(
                "mixpanel_distinct_id", "/properties/distinct_id", "/properties/$user_id", "/properties/$device_id",
                "distinct_id", "$distinct_id"
            ).unless(isGroup, because: "the profile is that of a group")
        ],
        customerUserID: Places(
            "customer_user_id", "/properties/customer_user_id", "mixpanel_distinct_id", "/properties/$user_id",
            "/properties/distinct_id", "distinct_id", "$distinct_id"
        )
        .unless(.hasForm(.prefix("$device:")), because: "Mixpanel does not know who this is")
        .unless(.isSame(as: ["/properties/$device_id"]), because: "it is the id of a device"),
        customerData: ["*", "/properties/*"],
        aboutOthers: ["groups", "$groups"],
        eventTime: ["/properties/time"],
        batches: ["/parameters/members"],
        // Adapty puts its profile id in the user's place where it knows no other.
        echo: .isPresent("/properties/integration_event_id"),
        lookalikes: [Lookalike("$group_id", "$group_key", because: "the profile is that of a group")],
        clientNames: [.mixpanelUserID: ["distinct_id", "user_id"]],
        dialect: MixpanelDialect())

    private static let isGroup = Condition.all([.isPresent("$group_key"), .isPresent("$group_id")])
}
