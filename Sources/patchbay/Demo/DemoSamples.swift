/// One webhook as a vendor sends it, trimmed to what matters. All values are made up.
struct DemoSample {
    let vendor: String
    let what: String
    let method: String
    /// Behind `?`, without the token.
    let query: String
    let contentType: String
    let body: String

    static func json(_ vendor: String, _ what: String, _ body: String) -> DemoSample {
        DemoSample(
            vendor: vendor, what: what, method: "POST", query: "", contentType: "application/json", body: body)
    }

    static func query(_ vendor: String, _ what: String, _ query: String) -> DemoSample {
        DemoSample(vendor: vendor, what: what, method: "GET", query: query, contentType: "", body: "")
    }

    static func form(_ vendor: String, _ what: String, _ body: String) -> DemoSample {
        DemoSample(
            vendor: vendor, what: what, method: "POST", query: "",
            contentType: "application/x-www-form-urlencoded", body: body)
    }
}

extension DemoSample {
    /// At least one per vendor. Several are about one profile, so that the table shows them merged.
    static let all: [DemoSample] = [
        .json(
            "amplitude", "event",
            """
            {"user_id":"usr_48213","device_id":"7A1D5C0E-93B4-4E52-8F37-21C6E0B9D4AA","event_type":"paywall_viewed",\
            "event_time":"2026-10-14 08:21:43.117000","amplitude_id":918273645546372819,\
            "user_properties":{"adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}}
            """),
        .json(
            "amplitude", "cohort of three",
            """
            {"cohort_name":"Lapsed trialists","in_cohort":true,"computed_time":"1791966100","users":[\
            {"user_id":"usr_48213","user_properties":{"adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}},\
            {"user_id":"usr_48214","user_properties":{}},{"user_id":"unknown","user_properties":{}}]}
            """),
        .json(
            "appsflyer", "in-app event",
            """
            {"appsflyer_id":"1791840012345-4417802","event_name":"af_start_trial",\
            "event_time":"2026-10-14 08:21:43.117","customer_user_id":"usr_48213","dma":"None",\
            "custom_data":"{\\"adapty_profile_id\\":\\"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12\\"}"}
            """),
        .query(
            "appsflyer", "install, by GET",
            """
            appsflyer_id=1791840099001-6620174411098230195&customer_user_id=usr_48214&event_name=install&\
            event_time=2026-10-14+08%3A22%3A10.004&event_value=
            """),
        .json(
            "onesignal", "push received",
            """
            {"event.kind":"message.push.received","event.timestamp":"1791966103",\
            "event.subscription_device_type":"iOS",\
            "event.subscription_id":"8f0a2f5c-6c1e-4b69-a9c2-5d7c19b0e3a4","event.external_id":"usr_48213"}
            """),
        .json(
            "onesignal", "e-mail opened: no push id",
            """
            {"event.kind":"message.email.opened","event.timestamp":1791966300,\
            "event.subscription_device_type":"Email","event.external_id":"usr_48213",\
            "event.subscription_id":"e2f30415-2637-4859-8a9b-acbdcedf0011"}
            """),
        .query(
            "adjust", "event",
            """
            adid=4c1f0f5e9b6a4d1e8a7730b2d5c9e611&activity_kind=event&created_at=1791966103&user_id=usr_48213&\
            adapty_profile_id=5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12
            """),
        .json(
            "airbridge", "sign-up",
            """
            {"eventTimestamp":1791222400123,"user":{"externalUserID":"usr_48213",\
            "attributes":{"adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}},\
            "device":{"deviceUUID":"7C1E9B40-5D2F-4A86-91C3-E0B7F4A26D58"}}
            """),
        .query(
            "appmetrica", "postback",
            """
            appmetrica_device_id=14820355917743086215&profile_id=usr_48214&transaction_id=cpe77103&event_name=sign_up&\
            ios_ifa=
            """),
        .json(
            "branch", "purchase",
            """
            {"name":"PURCHASE","timestamp":1791966103117,"user_data":{"developer_identity":"usr_48213"},\
            "last_attributed_touch_data":{"~id":1320045678901234567},\
            "custom_data":{"adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}}
            """),
        .form(
            "facebook", "app event",
            """
            event=CUSTOM_APP_EVENTS&anon_id=XZ3C70F1A9-5B2E-4D88-96A4-0E1F7B3C2D55&app_user_id=usr_48214&\
            advertiser_tracking_enabled=0
            """),
        .json(
            "firebase", "measurement protocol",
            """
            {"app_instance_id":"6d1b0e94c2f84a37b5590ac3e81f72dd","user_id":"usr_48213",\
            "timestamp_micros":1791222400123000,\
            "user_properties":{"adapty_profile_id":{"value":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}},"events":[]}
            """),
        .json(
            "mixpanel", "cohort sync",
            """
            {"action":"members","parameters":{"mixpanel_cohort_name":"Power stretchers","members":[\
            {"mixpanel_distinct_id":"usr_48213","adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"},\
            {"mixpanel_distinct_id":"$device:189af03f-c3e6-4906-9438-abd939c26031"}]}}
            """),
        .json(
            "posthog", "event",
            """
            {"event":{"event":"paywall_viewed","distinct_id":"usr_48213","timestamp":"2026-10-14T08:21:43.117Z",\
            "properties":{}},"person":{"properties":{"adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}}}
            """),
        .json(
            "pushwoosh", "journey webhook",
            """
            {"hwid":"b1946ac92492d234","user_id":"usr_48213",\
            "adapty_profile_id":"5f2c1e0a-7d43-4b8e-9a61-0c3d9e7f4b12"}
            """),
        .query(
            "tenjin", "callback",
            """
            analytics_installation_id=5ab3d90c7e2f4b618a4e03c1f7d6092b&customer_user_id=usr_48214&platform=ios&\
            acquired_at_ms=1781222399000
            """),
    ]
}
