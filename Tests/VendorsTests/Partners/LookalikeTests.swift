import Relay
import Testing

@testable import Vendors

/// What stands where the id should, and is a group's, an address, a phone number, a browser's or nobody's.
@Suite("Lookalikes of ids")
struct LookalikeTests {
    @Test(
        "are not applicable, and say why",
        arguments: [
            ("adjust", #"{"web_uuid":"w","user_id":"u"}"#),
            ("airbridge", #"{"platform":"Web","device":{"deviceUUID":"d"},"user":{"externalUserID":"u"}}"#),
            ("airbridge", #"{"user":{"externalUserEmail":"a@b.c","externalUserID":"u"}}"#),
            ("airbridge", #"{"device":{"cookieID":"c"},"user":{"externalUserID":"u"}}"#),
            ("amplitude", #"{"event_type":"$groupidentify","user_id":"u_1","device_id":"D-1"}"#),
            ("amplitude", #"{"platform":"Web","device_id":"D-1","adapty_profile_id":"\#(profile)"}"#),
            ("appsflyer", #"{"af_web_id":"w","customer_user_id":"u"}"#),
            ("branch", #"{"user_data":{"anonymous_id":"x"},"adapty_profile_id":"\#(profile)"}"#),
            ("facebook", #"{"action_source":"website","user_data":{"anon_id":"XZ3C"},"app_user_id":"u"}"#),
            ("facebook", #"{"data":[{"user_data":{"fbp":"fb.1.2.3"},"app_user_id":"u"}]}"#),
            ("firebase", #"{"user":{"appInfo":{"appInstanceId":"6D1B","appPlatform":"WEB"},"userId":"u"}}"#),
            ("firebase", #"{"client_id":"1.2","user_id":"u"}"#),
            ("mixpanel", #"{"$group_key":"company","$group_id":"41","$set":{}}"#),
            ("mixpanel", #"{"$group_key":"company","$group_id":"41","$distinct_id":"u"}"#),
            ("onesignal", #"{"event.kind":"message.sms.sent","event.subscription_id":"s","event.external_id":"u"}"#),
            ("onesignal", #"{"event":{"kind":"message.email.opened","subscription_id":"s","external_id":"u"}}"#),
            ("onesignal", #"{"user":{"subscription":{"id":"s","type":"Email"},"external_id":"u"}}"#),
            ("onesignal", #"{"player_id":"p","device_type":11,"external_user_id":"u"}"#),
            ("onesignal", #"{"subscription_id":"a@b.c","external_id":"u"}"#),
            ("onesignal", #"{"subscription_id":"+1 555 010 0999","external_id":"u"}"#),
            ("posthog", #"{"event":"$groupidentify","distinct_id":"$company_41","properties":{}}"#),
            ("posthog", #"{"batch":[{"event":"x","distinct_id":"o_41","properties":{"$group_key":"41"}}]}"#),
            ("posthog", #"{"event":{"distinct_id":"u","properties":{"$process_person_profile":false}}}"#),
            ("pushwoosh", #"{"hwid":"15550100999","user_id":"u","platform":"WhatsApp"}"#),
            ("pushwoosh", #"{"hwid":"+15550100999","user_id":"u"}"#),
            ("pushwoosh", #"{"hwid":"15550100999","user_id":"u","device_type":18}"#),
            ("pushwoosh", #"{"hwid":"x","user_id":"u","platform":"Chrome"}"#),
            ("pushwoosh", #"{"hwid":"x","user_id":"u","event_name":"Email Sent"}"#),
        ])
    func skipped(_ vendor: String, _ body: String) throws {
        let result = try VendorCatalog().hook(vendor, body)
        #expect(result.summary == ["not_applicable"])
        #expect(result.skips.first?.detail.isEmpty == false)
    }

    @Test(
        "leave the ids beside them, and what is anonymous may be the id and is nobody's user id",
        arguments: [
            (
                "amplitude", #"{"platform":"Web","device_id":"D-1","user_id":"u_1"}"#,
                #"customer_user_id u_1 {"amplitude_user_id":"u_1"}"#
            ),
            (
                "posthog",
                #"""
                {"event":{"distinct_id":"d","properties":{"$device_id":"d","$process_person_profile":false,
                "adapty_profile_id":"\#(profile)"}}}
                """#,
                #"profile_id \#(profile) {"posthog_distinct_user_id":"d"}"#
            ),
            (
                "posthog",
                #"{"event":{"distinct_id":"d","properties":{"$device_id":"d","$process_person_profile":false}}}"#,
                "no_profile"
            ),
            (
                "pushwoosh", #"{"hwid":"5550100999","user_id":"u"}"#,
                #"customer_user_id u {"pushwoosh_hwid":"5550100999"}"#
            ),
            (
                "onesignal",
                #"{"event.kind":"message.push.sent","event.subscription_id":"s","event.external_id":"a@b.c"}"#,
                #"customer_user_id a@b.c {"one_signal_subscription_id":"s"}"#
            ),
        ])
    func beside(_ vendor: String, _ body: String, _ expected: String) throws {
        #expect(try VendorCatalog().hook(vendor, body).summary == [expected])
    }
}
