import Relay

extension Vendor {
    /// Tenjin's custom callbacks: a GET or POST whose parameter names are the customer's; these are the macros' own.
    ///
    /// Ids are 32 hexadecimal digits or whatever the app made, with dashes or without: never reformatted.
    /// `acquired_at_ms` is no event time: it rides on every later event.
    static let tenjin = Vendor(
        "tenjin",
        identifiers: [.tenjinAnalyticsInstallationID: ["analytics_installation_id"]],
        customerUserID: ["customer_user_id"],
        eventTime: ["time_in_ms"],
        clientNames: [.tenjinAnalyticsInstallationID: ["analytics_installation_id"]])
}
