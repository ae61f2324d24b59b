import Relay

extension Vendor {
    /// OneSignal's event streams, whose body is the customer's own template: flat names with dots as in its
    /// documentation, the same within "Event Data", or nested. Its journey webhooks (a user, no subscription) and web
    /// push webhooks (from a browser) too.
    ///
    /// Adapty wants the *push* subscription. A user has others, and `onesignal_id` is the user: never mapped. The tags
    /// are written by Adapty's own integration, so they name the profile whatever the template's author thought of.
    static let oneSignal = Vendor(
        "onesignal",
        identifiers: [
            .oneSignalSubscriptionID: Places(
                "event.subscription_id", "/event/subscription_id", "/Event Data/event.subscription_id",
                "/Event Data/subscription_id", "user.subscription.id", "/user/subscription/id", "subscription_id",
                "subscriptionId"
            )
            .unless(isMessaging, because: "an e-mail or SMS subscription is not the push subscription")
            .unless(isAddress, because: "an address or phone number is not the push subscription"),
            .oneSignalPlayerID: Places("player_id", "/event/player_id", "userId", "playerId")
                .unless(isMessaging, because: "an e-mail or SMS player is not the push player")
                .unless(isAddress, because: "an address or phone number is not the push player"),
        ],
        customerUserID: [
            "event.external_id", "/event/external_id", "/Event Data/event.external_id", "/Event Data/external_id",
            "user.external_id", "/user/external_id", "external_id", "external_user_id",
        ],
        customerData: [
            "*", "/user/tags/*", "user.tags.*", "/event/tags/*", "/tags/*", "/additionalData/*", "/event/data/*",
            "/Event Data/*",
        ],
        eventTime: [
            "event.timestamp", "/event/timestamp", "/Event Data/event.timestamp", "event.datetime", "/event/datetime",
            "timestamp",
        ],
        clientNames: [
            .oneSignalSubscriptionID: ["subscription_id"], .oneSignalPlayerID: ["player_id"],
        ])

    private static let isMessaging = Condition.any(
        ["event.kind", "/event/kind", "/Event Data/event.kind", "event_kind", "kind"].map {
            .prefix($0, ["message.email.", "message.sms.", "message.rcs.", "message.whatsapp."])
        }
            + [
                "event.subscription_device_type", "/event/subscription_device_type",
                "/Event Data/event.subscription_device_type", "subscription_device_type", "user.subscription.type",
                "/user/subscription/type", "device_type", "/event/device_type",
                // 11 and 14 are the numbers of the old API.
            ].map { .text($0, is: ["email", "sms", "rcs", "whatsapp", "11", "14"]) })

    private static let isAddress = Condition.any([.hasForm(.email), .hasForm(.phone)])
}
