import Relay

extension Vendor {
    /// Airbridge's advertiser postbacks, POST or GET. What is in them is set per connection; the nested names are those
    /// of its own S2S API, the flat ones what people call them. What does not apply is sent as the text "null", an
    /// advertising id that was denied as zeros.
    static let airbridge = Vendor(
        "airbridge",
        identifiers: [.airbridgeDeviceID: ["/device/deviceUUID", "deviceUUID", "device_uuid"]],
        customerUserID: ["/user/externalUserID", "externalUserID", "external_user_id"],
        customerData: ["*", "/user/attributes/*"],
        eventTime: ["eventTimestamp", "event_timestamp"],
        clientNames: [.airbridgeDeviceID: ["device_uuid", "device_id"]])
}
