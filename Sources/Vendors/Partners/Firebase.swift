import Relay

extension Vendor {
    /// What the customer's own code forwards of Google Analytics: a Cloud Function's event (`user` as the SDK has it,
    /// or `userDim` raw), a copy of a Measurement Protocol body, rows of the BigQuery export, and any of them within a
    /// Pub/Sub push.
    ///
    /// User properties are `{name: {value}}`, or in BigQuery `[{key, value: {string_value}}]`, or `int_value` where
    /// there are only digits. Times are micros, as number or text, or `1.7642376E15`.
    static let firebase = Vendor(
        "firebase",
        identifiers: [
            .firebaseAppInstanceID: Places(
                "app_instance_id", "/user/appInfo/appInstanceId", "/userDim/appInfo/appInstanceId", "appInstanceId",
                "user_pseudo_id"
            )
            .unless(isWeb, because: "the id is that of a web client, not of an app")
            .unless(.hasForm(.numberPair), because: "the id is that of a web client, not of an app")
        ],
        customerUserID: [
            "user_id", "/user/userId", "/userDim/userId", "/user/userProperties/user_id/value",
            "/userDim/userProperties/user_id/value/stringValue", "/user_properties/user_id/value",
            "/user_properties/user_id/value/string_value", "/user_properties/user_id/value/int_value",
        ],
        customerData: [
            "*", "/user_properties/*/value", "/user_properties/*/value/string_value",
            "/user_properties/*/value/int_value", "/user/userProperties/*/value",
            "/userDim/userProperties/*/value/stringValue", "/params/*", "/events/0/params/*",
            "/event_params/*/value/string_value", "/event_params/*/value/int_value",
            "/eventDim/0/params/*/stringValue",
        ],
        eventTime: [
            "timestamp_micros", "event_timestamp", "logTime", "/eventDim/0/timestampMicros",
        ],
        lookalikes: [
            Lookalike("client_id", because: "client_id is the id of a web client"),
            Lookalike("firebase_app_id", because: "firebase_app_id is the id of the app"),
        ],
        clientNames: [.firebaseAppInstanceID: ["app_instance_id"]])

    private static let isWeb = Condition.any(
        ["platform", "/user/appInfo/appPlatform", "/userDim/appInfo/appPlatform"].map { .text($0, is: ["web"]) })
}
