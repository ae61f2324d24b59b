import Relay

extension Vendor {
    /// Amplitude's event stream, its users stream ("identify") and its cohort webhook.
    ///
    /// An event is an object of the Export API's shape. A cohort is `{cohort_id, in_cohort, computed_time, message_id,
    /// users: [{user_id, user_properties}]}`, without device ids. Nine more deliveries follow any answer but 2xx. Event
    /// times are UTC without saying so.
    static let amplitude = Vendor(
        "amplitude",
        identifiers: [
            .amplitudeUserID: Places("user_id", meaningless: amplitudeRefuses),
            .amplitudeDeviceID: Places("device_id", meaningless: amplitudeRefuses),
        ],
        customerUserID: Places("user_id", meaningless: amplitudeRefuses),
        customerData: ["*", "/user_properties/*", "/user_properties/$set/*", "/event_properties/*"],
        eventTime: ["event_time", "time", .envelope("computed_time")],
        batches: ["/users"],
        // With "Always populate user_id" Adapty sends its profile id as the user id of somebody it knows by no other
        // name.
        echo: .text("partner_id", is: ["adapty"]),
        clientNames: [.amplitudeUserID: ["user_id"], .amplitudeDeviceID: ["device_id"]])

    /// What Amplitude itself takes for no id at all. Source: its HTTP API, "invalid_id_list".
    private static let amplitudeRefuses = Meaningless.usual.and(["lmy47d"])
}
