import Relay

extension Vendor {
    /// Branch's webhooks: a JSON object, or a templated GET; exports flatten the names with `_`.
    ///
    /// `developer_identity` is what the app gave to `setIdentity`: the customer's user id, and by Adapty's SDK pages
    /// its `branch_id` too. Traps: `link_data.branch_id` is a link, `key_live_...` is the app. Not read: the link's own
    /// data, which belongs to whoever made the link, not to whoever opened it. Branch waits two seconds and repeats
    /// only then.
    static let branch = Vendor(
        "branch",
        identifiers: [
            .branchID: Places("/user_data/developer_identity", "user_data_developer_identity", "developer_identity")
                .unless(isAppKey, because: "a Branch key names the app, not a user")
        ],
        customerUserID: ["/user_data/developer_identity", "user_data_developer_identity", "developer_identity"],
        customerData: ["*", "/custom_data/*", "/event_data/*"],
        aboutOthers: [
            "last_attributed_touch_data", "last_cta_view_data", "link_data",
            "first_referring_link_data", "referring_link_data",
        ],
        eventTime: ["timestamp"],
        lookalikes: [
            Lookalike(
                "/user_data/anonymous_id", "user_data_anonymous_id", "/user_data/browser_fingerprint_id",
                because: "nobody has called setIdentity yet: the id is Branch's own")
        ],
        clientNames: [.branchID: ["developer_identity", "identity"]])

    private static let isAppKey = Condition.any([.hasForm(.prefix("key_live_")), .hasForm(.prefix("key_test_"))])
}
