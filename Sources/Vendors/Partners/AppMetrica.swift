import Relay

extension Vendor {
    /// AppMetrica's postbacks: a GET or POST whose parameter names are the customer's; these are the macros' own.
    ///
    /// `appmetrica_device_id` is the DeviceIdHash that Adapty wants: an integer of up to 20 digits, beyond 64 bits with
    /// sign. `profile_id` is AppMetrica's profile, which is the customer's user id; never Adapty's. Anything but 200 is
    /// repeated for a day.
    static let appMetrica = Vendor(
        "appmetrica",
        identifiers: [.appmetricaDeviceID: ["appmetrica_device_id"], .appmetricaProfileID: ["profile_id"]],
        customerUserID: ["profile_id"],
        eventTime: ["event_timestamp", "event_datetime", "conversion_datetime"],
        clientNames: [.appmetricaDeviceID: ["device_id"], .appmetricaProfileID: ["profile_id"]])
}
