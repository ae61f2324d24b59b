import Relay

extension Vendor {
    /// Pushwoosh's journey webhooks, whose body is the customer's own, and its integration webhook, which tells of
    /// e-mails only.
    ///
    /// For an e-mail the HWID is the address, for SMS and WhatsApp the phone number, for web push a browser's: none is
    /// the device that Adapty wants. Where no user id was set Pushwoosh repeats the HWID.
    static let pushwoosh = Vendor(
        "pushwoosh",
        identifiers: [
            .pushwooshHWID: Places("hwid", "HWID")
                .unless(isEmail, because: "the HWID of platform Email is an e-mail address")
                .unless(isPhone, because: "the HWID of SMS and WhatsApp is a phone number")
                .unless(isBrowser, because: "the HWID is that of a browser")
                .unless(.hasForm(.email), because: "the HWID is an e-mail address")
                .unless(.hasForm(.phone), because: "the HWID is a phone number")
        ],
        customerUserID: Places("user_id", "userId")
            .unless(.isSame(as: ["hwid", "HWID"]), because: "it is the HWID, for want of a user id"),
        customerData: ["*", "/tags/*"],
        eventTime: ["timestamp", "event_time"],
        clientNames: [.pushwooshHWID: ["hwid"]])

    // By name, and by the number that Pushwoosh's API has for a platform.
    private static let isEmail = isPlatform(["email", "14"], events: ["email ", "email_"])
    private static let isPhone = isPlatform(["sms", "whatsapp", "18", "21"], events: ["sms ", "sms_", "whatsapp "])
    private static let isBrowser = isPlatform(
        ["web", "web push", "chrome", "firefox", "safari", "edge", "10", "11", "12"], events: ["web push "])

    private static func isPlatform(_ names: [String], events: [String]) -> Condition {
        .any(
            ["platform", "device_type", "platform_type"].map { .text($0, is: names) } + [.prefix("event_name", events)])
    }
}
