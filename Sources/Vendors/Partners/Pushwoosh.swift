import Relay

extension Vendor {
    /// Pushwoosh's journey webhooks, whose body is the customer's own, and its integration webhook, which tells of
    /// e-mails only.
    ///
    /// For an e-mail the HWID is the address: not the device that Adapty wants. Where no user id was set Pushwoosh
    /// repeats the HWID.
    static let pushwoosh = Vendor(
        "pushwoosh",
        identifiers: [
            .pushwooshHWID: Places("hwid", "HWID")
                .unless(.text("platform", is: ["email"]), because: "the HWID of platform Email is an e-mail address")
                .unless(.hasForm(.email), because: "the HWID is an e-mail address")
        ],
        customerUserID: Places("user_id", "userId")
            .unless(.isSame(as: ["hwid", "HWID"]), because: "it is the HWID, for want of a user id"),
        customerData: ["*", "/tags/*"],
        eventTime: ["timestamp", "event_time"],
        clientNames: [.pushwooshHWID: ["hwid"]])
}
