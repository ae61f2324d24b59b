import Relay

extension Vendor {
    /// AppsFlyer's Push API v2: flat, snake case, one event a message, as a JSON object or as the query of a GET.
    ///
    /// `event_value` and `custom_data` are JSON in a string; the S2S API, which customers mirror, says `eventValue` and
    /// `eventTime`. A website has `af_web_id` and no `appsflyer_id`. That looks like a number with a dash; its second
    /// part has up to 18 digits. Nothing is delivered twice: what we refuse is lost. Times are UTC without saying so.
    static let appsflyer = Vendor(
        "appsflyer",
        identifiers: [.appsflyerID: ["appsflyer_id"]],
        customerUserID: ["customer_user_id"],
        customerData: ["*", "/custom_data/*", "/event_value/*", "/eventValue/*"],
        eventTime: ["event_time", "eventTime"],
        lookalikes: [Lookalike("af_web_id", "afUserId", because: "the id is that of a browser")])
}
