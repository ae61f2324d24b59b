import Relay

extension Vendor {
    /// Airbridge's advertiser postbacks, POST or GET. What is in them is set per connection; the nested names are those
    /// of its own S2S API, the flat ones what people call them. What does not apply is sent as the text "null", an
    /// advertising id that was denied as zeros. Of a website the device is a browser's cookie.
    static let airbridge = Vendor(
        "airbridge",
        identifiers: [
            .airbridgeDeviceID: Places("/device/deviceUUID", "deviceUUID", "device_uuid")
                .unless(isWeb, because: "the device is a browser")
        ],
        customerUserID: [
            "/user/externalUserID", "externalUserID", "external_user_id", "user_id", "userID", "customer_user_id",
        ],
        customerData: ["*", "/user/attributes/*"],
        eventTime: ["eventTimestamp", "event_timestamp"],
        lookalikes: [
            Lookalike("/device/cookieID", "cookieID", "cookie_id", because: "a cookie's id is that of a browser"),
            Lookalike(
                "/user/externalUserEmail", "externalUserEmail", "/user/externalUserPhone", "externalUserPhone",
                because: "an address or phone number is the user's, not a device"),
        ],
        clientNames: [.airbridgeDeviceID: ["device_uuid", "device_id"]])

    private static let isWeb = Condition.any(
        ["platform", "/device/platform", "sourceType", "source_type", "/device/osName", "os_name"].map {
            .text($0, is: ["web", "website"])
        })
}
