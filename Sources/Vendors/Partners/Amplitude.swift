import Relay

extension Vendor {
    /// Amplitude's event stream, its users stream ("identify") and its cohort webhook.
    ///
    /// An event is an object of the Export API's shape, or what a template made of it (`external_id`, `name`, `time`,
    /// `properties`), alone or several in `events`. A cohort is `{cohort_id, in_cohort, computed_time, message_id,
    /// users: [{user_id, user_properties}]}`, without device ids. Nine more deliveries follow any answer but 2xx. Event
    /// times are UTC without saying so.
    static let amplitude = Vendor(
        "amplitude",
        identifiers: [
            .amplitudeUserID: Places("user_id", "external_id", meaningless: amplitudeRefuses)
                .unless(isGroup, because: "the event is about a group"),
            .amplitudeDeviceID: Places("device_id", meaningless: amplitudeRefuses)
                .unless(isGroup, because: "the event is about a group")
                .unless(.text("platform", is: ["web"]), because: "the device is a browser"),
        ],
        customerUserID: Places("user_id", "external_id", meaningless: amplitudeRefuses),
        customerData: ["*", "/user_properties/*", "/user_properties/$set/*", "/event_properties/*"],
        aboutOthers: ["groups", "group_properties"],
        eventTime: ["event_time", "time", .envelope("computed_time")],
        batches: ["/users", "/events"],
        // With "Always populate user_id" Adapty sends its profile id as the user id of somebody it knows by no other
        // name.
        echo: .text("partner_id", is: ["adapty"]),
        clientNames: [.amplitudeUserID: ["user_id"], .amplitudeDeviceID: ["device_id"]])

    private static let isGroup = Condition.any([
        .text("event_type", is: ["$groupidentify"]), .text("name", is: ["$groupidentify"]),
    ])

    /// What Amplitude itself takes for no id at all. Source: its HTTP API, "invalid_id_list".
    private static let amplitudeRefuses = Meaningless.usual.and(["lmy47d"])
}
