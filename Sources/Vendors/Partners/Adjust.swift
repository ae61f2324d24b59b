import Relay

extension Vendor {
    /// Adjust's callbacks: a GET whose parameter names are the customer's, whose values are placeholders.
    ///
    /// `adid` is what Adjust recommends. SDK callback parameters are appended under their own names; Adapty's events
    /// reach Adjust with theirs, among them `customer_user_id` and `integration_event_id`. Placeholders without data
    /// are dropped, mistyped ones arrive as they are. `installed_at` is no event time: it rides on every later event.
    /// A browser has a `web_uuid` and no `adid`.
    static let adjust = Vendor(
        "adjust",
        identifiers: [.adjustDeviceID: ["adid"]],
        customerUserID: ["customer_user_id", "user_id", "external_device_id"],
        customerData: ["*", "/callback_params/*"],
        eventTime: ["created_at"],
        echo: .isPresent("integration_event_id"),
        lookalikes: [Lookalike("web_uuid", because: "web_uuid is the id of a browser")],
        clientNames: [.adjustDeviceID: ["adid", "device_id"]])
}
