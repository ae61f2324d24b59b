import Relay

extension Vendor {
    /// What the customer's own code forwards of Google Analytics: a Cloud Function's event (`user` as the SDK has it,
    /// or `userDim` raw), a copy of a Measurement Protocol body, rows of the BigQuery export, and any of them within a
    /// Pub/Sub push.
    ///
    /// User properties are `{name: {value}}`, or in BigQuery `[{key, value: {string_value}}]`. Times are micros, as
    /// number or text.
    static let firebase = Vendor(
        "firebase",
        identifiers: [
            .firebaseAppInstanceID: Places(
                "app_instance_id", "/user/appInfo/appInstanceId", "/userDim/appInfo/appInstanceId", "appInstanceId",
                "user_pseudo_id"
            )
            .unless(.text("platform", is: ["web"]), because: "the id is that of a web client, not of an app")
            .unless(.hasForm(.numberPair), because: "the id is that of a web client, not of an app")
        ],
        customerUserID: [
            "user_id", "/user/userId", "/userDim/userId", "/user/userProperties/user_id/value",
            "/userDim/userProperties/user_id/value/stringValue",
        ],
        customerData: [
            "*", "/user_properties/*/value", "/user_properties/*/value/string_value", "/user/userProperties/*/value",
            "/userDim/userProperties/*/value/stringValue", "/params/*", "/events/0/params/*",
            "/event_params/*/value/string_value", "/eventDim/0/params/*/stringValue",
        ],
        eventTime: [
            "timestamp_micros", "event_timestamp", "logTime", "/eventDim/0/timestampMicros",
        ],
        lookalikes: [
            Lookalike("client_id", because: "client_id is the id of a web client"),
            Lookalike("firebase_app_id", because: "firebase_app_id is the id of the app"),
        ],
        clientNames: [.firebaseAppInstanceID: ["app_instance_id"]])
}
