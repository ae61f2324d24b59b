import Relay
import Testing

@testable import Vendors

@Suite("Adjust")
struct AdjustTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "a callback parameter of the SDK", "adid=18546f61&user_id=855",
                #"customer_user_id 855 {"adjust_device_id":"18546f61"}"#),
            PartnerCase(
                "Adapty's own event comes back with its parameters",
                "adid=18546f61&customer_user_id=u&user_id=v&integration_event_id=e",
                #"customer_user_id u {"adjust_device_id":"18546f61"}"#),
            PartnerCase(
                "Adapty's own event, with its profile id for a user",
                "adid=18546f61&customer_user_id=\(profile)&integration_event_id=e",
                #"profile_id \#(profile) {"adjust_device_id":"18546f61"}"#),
            PartnerCase("a mistyped placeholder", "adid={adidd}&user_id=855", "no_identifier"),
            PartnerCase("an or-placeholder", "adid=18546f61&user_id={idfa||gps_adid}", "no_profile"),
            PartnerCase("a callback of SKAdNetwork", "activity_kind=sk_install&app_name=x", "no_identifier"),
            PartnerCase(
                "of a repeated parameter the last that says something", "adid=a1&user_id=1&user_id=2&user_id=",
                #"customer_user_id 2 {"adjust_device_id":"a1"}"#),
            PartnerCase(
                "callback_params as JSON", "adid=a1&callback_params=%7B%22adapty_profile_id%22%3A%22\(profile)%22%7D",
                #"profile_id \#(profile) {"adjust_device_id":"a1"}"#),
            PartnerCase("a profile of another form", "adid=a1&user_id=u&adapty_profile_id=zzz", "bad_profile"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("adjust") }

    @Test("created_at is the event's time, installed_at is not")
    func times() throws {
        let result = try VendorCatalog().hook(
            "adjust", query: "adid=a1&user_id=u&installed_at=1791840191&created_at=1791966103")
        #expect(result.patches.first?.at?.milliseconds == 1_791_966_103_000)
    }
}

@Suite("Airbridge")
struct AirbridgeTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "the names of its S2S API", #"{"user":{"externalUserID":"u"},"device":{"deviceUUID":"7c1e9b40"}}"#,
                #"customer_user_id u {"airbridge_device_id":"7c1e9b40"}"#),
            PartnerCase(
                "flat names", "airbridge_device_id=7C1E&external_user_id=u",
                #"customer_user_id u {"airbridge_device_id":"7C1E"}"#),
            PartnerCase(
                "the text null", #"{"user":{"externalUserID":"null"},"device":{"deviceUUID":"7c1e"}}"#, "no_profile"),
            PartnerCase(
                "a device of zeros",
                #"{"user":{"externalUserID":"u"},"device":{"deviceUUID":"00000000-0000-0000-0000-000000000000"}}"#,
                "no_identifier"),
            PartnerCase(
                "a template of an ad channel", "device_uuid={@device.deviceUUID}&external_user_id=u", "no_identifier"),
            PartnerCase(
                "a user among the attributes",
                #"{"user":{"attributes":{"adapty_customer_user_id":"u"}},"deviceUUID":"7c1e"}"#,
                #"customer_user_id u {"airbridge_device_id":"7c1e"}"#),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("airbridge") }

    @Test("its time is milliseconds")
    func times() throws {
        let result = try VendorCatalog().hook(
            "airbridge", #"{"deviceUUID":"7c1e","externalUserID":"u","eventTimestamp":1791966103117}"#)
        #expect(result.patches.first?.at?.milliseconds == 1_791_966_103_117)
    }
}

@Suite("AppMetrica")
struct AppMetricaTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "a device beyond 64 bits", #"{"appmetrica_device_id":98765432109876543210,"profile_id":"u"}"#,
                #"customer_user_id u {"appmetrica_device_id":"98765432109876543210","appmetrica_profile_id":"u"}"#),
            PartnerCase(
                "a device as a float is none", #"{"appmetrica_device_id":1.4820355917743086e19,"profile_id":null}"#,
                "no_identifier"),
            PartnerCase("no device, no profile", "click_id=&appmetrica_device_id=", "no_identifier"),
            PartnerCase("a device 0", "appmetrica_device_id=0&profile_id=", "no_identifier"),
            PartnerCase(
                "its profile is the customer's user, never Adapty's profile", "profile_id=\(profile)",
                #"customer_user_id \#(profile) {"appmetrica_profile_id":"\#(profile)"}"#),
            PartnerCase("a device only", "appmetrica_device_id=14820355917743086215", "no_profile"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("appmetrica") }
}

@Suite("Branch")
struct BranchTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase("a templated GET", "developer_identity=u&name=open", #"customer_user_id u {"branch_id":"u"}"#),
            PartnerCase("an export", "user_data_developer_identity=u", #"customer_user_id u {"branch_id":"u"}"#),
            PartnerCase("the text null", #"{"user_data":{"developer_identity":"null"}}"#, "no_identifier"),
            PartnerCase(
                "a FreeMarker template", "developer_identity=${(user_data.developer_identity)!}", "no_identifier"),
            PartnerCase(
                "a link's id is no user's", #"{"link_data":{"branch_id":"12345"},"user_data":{}}"#, "no_identifier"),
            PartnerCase(
                "the app's key is no user's", "branch_id=key_live_abc&adapty_profile_id=\(profile)", "not_applicable"),
            PartnerCase(
                "a link's data is of who made it",
                #"""
                {"user_data":{"developer_identity":"u"},
                "last_attributed_touch_data":{"adapty_profile_id":"\#(profile)"}}
                """#,
                #"customer_user_id u {"branch_id":"u"}"#),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("branch") }

    @Test("its time is milliseconds")
    func times() throws {
        let result = try VendorCatalog().hook(
            "branch", #"{"timestamp":1791966103117,"user_data":{"developer_identity":"u"}}"#)
        #expect(result.patches.first?.at?.milliseconds == 1_791_966_103_117)
    }
}

@Suite("Facebook")
struct FacebookTests {
    private static let anonymous = #"{"facebook_anonymous_id":"XZ3C"}"#

    @Test(
        "is read as servers send it to Meta",
        arguments: [
            PartnerCase(
                "App Events", #"{"event":"CUSTOM_APP_EVENTS","anon_id":"XZ3C","app_user_id":"u"}"#,
                "customer_user_id u \(anonymous)"),
            PartnerCase(
                "the Conversions API: a batch",
                #"{"data":[{"user_data":{"anon_id":"XZ3C"},"customer_user_id":"u"},{"user_data":{}}]}"#,
                "customer_user_id u \(anonymous)", "no_identifier"),
            PartnerCase(
                "a batch as JSON in a form",
                #"access_token=x&data=[{"anon_id":"XZ3C","app_user_id":"u"},{"anon_id":"XZ3C","#
                    + #"%22app_user_id%22%3A%22v%22,"custom_data":"{}"}]"#,
                "customer_user_id u \(anonymous)", "customer_user_id v \(anonymous)"),
            PartnerCase(
                "external_id is not read", #"{"data":[{"user_data":{"anon_id":"XZ3C","external_id":"u"}}]}"#,
                "no_profile"),
            PartnerCase(
                "a digest is no user",
                #"{"anon_id":"XZ3C","app_user_id":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}"#,
                "no_profile"),
            PartnerCase(
                "a profile among custom data", #"{"anon_id":"XZ3C","custom_data":{"adapty_profile_id":"\#(profile)"}}"#,
                "profile_id \(profile) \(anonymous)"),
            PartnerCase(
                "an advertiser's id is not the anonymous one", "advertiser_id=5f2c&app_user_id=u", "no_identifier"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("facebook") }

    @Test("its time is beside the event, or in the first of custom_events")
    func times() throws {
        let request = try Sample.request(fixture: "facebook-1.form")
        #expect(try VendorCatalog().hook("facebook", request).patches.first?.at?.milliseconds == 1_781_222_400_000)
        let event = try VendorCatalog().hook(
            "facebook", #"{"data":[{"anon_id":"X1","app_user_id":"u","event_time":1791966103}]}"#)
        #expect(event.patches.first?.at?.milliseconds == 1_791_966_103_000)
    }
}

@Suite("Firebase")
struct FirebaseTests {
    private static let instance = #"{"firebase_app_instance_id":"6D1B"}"#

    @Test(
        "is read as customers forward it",
        arguments: [
            PartnerCase(
                "a Cloud Function's raw event",
                #"""
                {"userDim":{"userId":"u","appInfo":{"appInstanceId":"6D1B"},
                "userProperties":{"adapty_profile_id":{"value":{"stringValue":"\#(profile)"}}}},
                "eventDim":[{"timestampMicros":"1791966103117000"}]}
                """#,
                "profile_id \(profile) \(instance)"),
            PartnerCase(
                "a user among the properties",
                #"{"user":{"appInfo":{"appInstanceId":"6D1B"},"userProperties":{"user_id":{"value":"u"}}}}"#,
                "customer_user_id u \(instance)"),
            PartnerCase(
                "a row of BigQuery",
                #"""
                {"user_pseudo_id":"6D1B","user_id":"u","platform":"IOS",
                "user_properties":[{"key":"x","value":{"string_value":"y"}},
                {"key":"adapty_profile_id","value":{"string_value":"\#(profile)"}}]}
                """#,
                "profile_id \(profile) \(instance)"),
            PartnerCase(
                "a row of BigQuery from the web", #"{"user_pseudo_id":"6D1B","user_id":"u","platform":"WEB"}"#,
                "not_applicable"),
            PartnerCase(
                "a web client's pair of numbers", #"{"user_pseudo_id":"1093847562.1781222390","user_id":"u"}"#,
                "not_applicable"),
            PartnerCase(
                "firebase_app_id is the app", #"{"firebase_app_id":"1:2:ios:3","user_id":"u"}"#, "not_applicable"),
            PartnerCase(
                "rows together", #"[{"user_pseudo_id":"6D1B","user_id":"u"},{"user_pseudo_id":"6D1B","user_id":"v"}]"#,
                "customer_user_id u \(instance)", "customer_user_id v \(instance)"),
            PartnerCase(
                "a Pub/Sub push",
                // {"app_instance_id":"6D1B","user_id":"u"}
                #"""
                {"message":{"data":"eyJhcHBfaW5zdGFuY2VfaWQiOiI2RDFCIiwidXNlcl9pZCI6InUifQ==",
                "messageId":"1"},"subscription":"s"}
                """#,
                "customer_user_id u \(instance)"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("firebase") }

    @Test(
        "its times are micros, as number or text, or ISO 8601",
        arguments: [
            #""timestamp_micros":1791966103117000"#, #""event_timestamp":"1791966103117000""#,
            #""logTime":"2026-10-14T08:21:43.117Z""#,
            #""eventDim":[{"timestampMicros":"1791966103117000"}]"#,
        ])
    func times(_ member: String) throws {
        let result = try VendorCatalog().hook("firebase", #"{"app_instance_id":"6D1B","user_id":"u",\#(member)}"#)
        #expect(result.patches.first?.at?.milliseconds == 1_791_966_103_117)
    }
}

@Suite("Mixpanel")
struct MixpanelTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "an event of a known user",
                #"{"event":"x","properties":{"distinct_id":"u","$user_id":"u","$device_id":"d"}}"#,
                #"customer_user_id u {"mixpanel_user_id":"u"}"#),
            PartnerCase(
                "an event of a device", #"{"event":"x","properties":{"distinct_id":"$device:d","$device_id":"d"}}"#,
                "no_profile"),
            PartnerCase(
                "a distinct id that is the device's",
                #"{"event":"x","properties":{"distinct_id":"d","$device_id":"d"}}"#, "no_profile"),
            PartnerCase(
                "an event without distinct_id", #"{"event":"x","properties":{"$user_id":"u","$device_id":"d"}}"#,
                #"customer_user_id u {"mixpanel_user_id":"u"}"#),
            PartnerCase(
                "an anonymous device of a profile",
                #"{"event":"x","properties":{"distinct_id":"$device:d","adapty_profile_id":"\#(profile)"}}"#,
                #"profile_id \#(profile) {"mixpanel_user_id":"$device:d"}"#),
            PartnerCase(
                "Adapty's own event",
                #"""
                {"event":"subscription_renewed",
                "properties":{"distinct_id":"\#(profile)","integration_event_id":"e"}}
                """#,
                "echo"),
            PartnerCase(
                "who left a cohort keeps his id",
                #"{"action":"remove_members","parameters":{"members":[{"mixpanel_distinct_id":"u"}]}}"#,
                #"customer_user_id u {"mixpanel_user_id":"u"}"#),
            PartnerCase(
                "a sample of its documentation",
                #"{"parameters":{"members":[{"mixpanel_distinct_id":"{mixpanel_distinct_id}"}]}}"#, "no_identifier"),
            PartnerCase(
                "a member without anything",
                #"{"parameters":{"members":[{"mixpanel_distinct_id":null,"email":"a@b.c"}]}}"#, "no_identifier"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("mixpanel") }

    @Test("a page of 1000 members comes to 1000 patches, in their order")
    func page() throws {
        let members = (0..<1000).map { #"{"mixpanel_distinct_id":"u_\#($0)"}"# }.joined(separator: ",")
        let result = try VendorCatalog().hook(
            "mixpanel", #"{"action":"members","parameters":{"members":[\#(members)]}}"#)
        #expect(result.patches.map(\.profile.value) == (0..<1000).map { "u_\($0)" })
    }
}

@Suite("PostHog")
struct PostHogTests {
    private static let anonymous = "0199e1b0-1a2b-7c3d-8e4f-5a6b7c8d9e0f"

    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase("somebody it does not know", #"{"event":{"distinct_id":"\#(anonymous)"}}"#, "no_profile"),
            PartnerCase(
                "somebody it says it does not know",
                #"{"event":{"distinct_id":"x1","properties":{"$is_identified":false}}}"#, "no_profile"),
            PartnerCase("a device", #"{"event":{"distinct_id":"x1","properties":{"$device_id":"x1"}}}"#, "no_profile"),
            PartnerCase(
                "a user whose id is a version 7 UUID",
                #"{"event":{"distinct_id":"\#(anonymous)","properties":{"$is_identified":true}}}"#,
                #"customer_user_id \#(anonymous) {"posthog_distinct_user_id":"\#(anonymous)"}"#),
            PartnerCase(
                "somebody unknown of a known profile",
                #"{"event":{"distinct_id":"\#(anonymous)","properties":{"$set":{"adapty_profile_id":"\#(profile)"}}}}"#,
                #"profile_id \#(profile) {"posthog_distinct_user_id":"\#(anonymous)"}"#),
            PartnerCase(
                "no person", #"{"event":{"distinct_id":"u","properties":{}},"person":null}"#,
                #"customer_user_id u {"posthog_distinct_user_id":"u"}"#),
            PartnerCase(
                "a flat template", #"{"distinct_id":"u","event":"x"}"#,
                #"customer_user_id u {"posthog_distinct_user_id":"u"}"#),
            PartnerCase(
                "an id on its own refuse list", #"{"event":{"distinct_id":"not_authenticated"}}"#, "no_identifier"),
            PartnerCase("the same within quotes", #"{"event":{"distinct_id":"'guest'"}}"#, "no_identifier"),
            PartnerCase(
                "a template that was not rendered", #"{"event":"{event}","person":"{person}"}"#, "no_identifier"),
            PartnerCase(
                "Adapty's own event",
                #"{"event":{"distinct_id":"\#(profile)","properties":{"integration_event_id":"e"}}}"#, "echo"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("posthog") }

    @Test("its time is ISO 8601")
    func times() throws {
        let request = try Sample.request(fixture: "posthog-1.json")
        #expect(
            try VendorCatalog().hook("posthog", request).patches.first?.at?.description == "2026-10-14T08:21:43.117Z")
    }
}

@Suite("Pushwoosh")
struct PushwooshTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "a device of a user", #"{"hwid":"B194-6AC9","user_id":"u"}"#,
                #"customer_user_id u {"pushwoosh_hwid":"B194-6AC9"}"#),
            PartnerCase("the HWID again, for want of a user", #"{"hwid":"b194","user_id":"b194"}"#, "no_profile"),
            PartnerCase(
                "the HWID again, and a tag of Adapty's",
                #"{"hwid":"b194","user_id":"b194","tags":{"adapty_customer_user_id":"u"}}"#,
                #"customer_user_id u {"pushwoosh_hwid":"b194"}"#),
            PartnerCase("an address without its platform", #"{"hwid":"a@b.c","user_id":"u"}"#, "not_applicable"),
            PartnerCase(
                "platform Email in any case", #"{"hwid":"b194","platform":"EMAIL","user_id":"u"}"#, "not_applicable"),
            PartnerCase("a form", "hwid=b194&user_id=u", #"customer_user_id u {"pushwoosh_hwid":"b194"}"#),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("pushwoosh") }
}

@Suite("Tenjin")
struct TenjinTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "its own macro's name, dashes or none",
                "analytics_installation_id=29eeb1610fe74997b6d53f02e9711f8c&customer_user_id=u",
                #"customer_user_id u {"tenjin_analytics_installation_id":"29eeb1610fe74997b6d53f02e9711f8c"}"#),
            PartnerCase(
                "Adapty's name", "tenjin_analytics_installation_id=29EEB161-0FE7&adapty_profile_id=\(profile)",
                #"profile_id \#(profile) {"tenjin_analytics_installation_id":"29EEB161-0FE7"}"#),
            PartnerCase(
                "another device's id is not it", "developer_device_id=C8D4&customer_user_id=u", "no_identifier"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("tenjin") }
}
