import Relay

extension Vendor {
    /// AppsFlyer's Push API v2: flat, snake case, one event a message, as a JSON object or as the query of a GET.
    ///
    /// `event_value` and `custom_data` are JSON in a string. `appsflyer_id` looks like a number with a dash; its second
    /// part has up to 18 digits. Nothing is delivered twice: what we refuse is lost. Times are UTC without saying so.
    static let appsflyer = Vendor(
        "appsflyer",
        identifiers: [.appsflyerID: ["appsflyer_id"]],
        customerUserID: ["customer_user_id"],
        customerData: ["*", "/custom_data/*", "/event_value/*"],
        eventTime: ["event_time"])
}
