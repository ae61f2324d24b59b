import Relay
import Testing

@testable import Vendors

@Suite("OneSignal")
struct OneSignalTests {
    private static let push = #"{"one_signal_subscription_id":"s-1"}"#
    private static let ofUser = "customer_user_id u \(push)"

    @Test(
        "is read as its documentation has it, and as customers write their templates",
        arguments: [
            PartnerCase(
                "flat names", #"{"event.subscription_id":"s-1","event.external_id":"u"}"#, ofUser),
            PartnerCase(
                "nested names", #"{"event":{"subscription_id":"s-1","external_id":"u"}}"#, ofUser),
            PartnerCase(
                "names within Event Data",
                #"{"Event Data":{"event.subscription_id":"s-1","event.external_id":"u"},"Message Data":{}}"#,
                ofUser),
            PartnerCase("a query", "event.subscription_id=s-1&event.external_id=u", ofUser),
            PartnerCase(
                "the user's subscription", #"{"user":{"subscription":{"id":"s-1"},"external_id":"u"}}"#,
                ofUser),
            PartnerCase(
                "the tag that Adapty writes, where there is no external id",
                #"""
                {"event":{"subscription_id":"s-1","external_id":""},
                "user":{"tags":{"adapty_customer_user_id":"u"}}}
                """#,
                ofUser),
            PartnerCase(
                "that tag before the external id",
                #"""
                {"event":{"subscription_id":"s-1","external_id":"e"},
                "user":{"tags":{"adapty_customer_user_id":"t"}}}
                """#,
                "customer_user_id t \(push)"),
            PartnerCase(
                "the profile before everything",
                #"{"event.subscription_id":"s-1","event.external_id":"u","user.tags.adapty_profile_id":"\#(profile)"}"#,
                "profile_id \(profile) \(push)"),
            PartnerCase(
                "an old player", #"{"player_id":"p-1","external_user_id":"u"}"#,
                #"customer_user_id u {"one_signal_player_id":"p-1"}"#),
            PartnerCase(
                "an e-mail's kind",
                #"{"event":{"kind":"message.email.sent","subscription_id":"s-1","external_id":"u"}}"#,
                "not_applicable"),
            PartnerCase(
                "an SMS's kind",
                #"{"event.kind":"message.sms.sent","event.subscription_id":"s-1","event.external_id":"u"}"#,
                "not_applicable"),
            PartnerCase(
                "an SMS's device type",
                #"{"event":{"subscription_device_type":"SMS","subscription_id":"s-1","external_id":"u"}}"#,
                "not_applicable"),
            PartnerCase(
                "an in-app message is one to a push subscription",
                #"{"event.kind":"message.iam.clicked","event.subscription_id":"s-1","event.external_id":"u"}"#,
                ofUser),
            PartnerCase(
                "a journey: a user, no subscription", #"{"user":{"onesignal_id":"o-1","external_id":"u"}}"#,
                "no_identifier"),
            PartnerCase(
                "onesignal_id is the user, not the subscription",
                #"{"event.onesignal_id":"o-1","event.external_id":"u"}"#, "no_identifier"),
            PartnerCase(
                "a template that was not rendered",
                #"{"event.subscription_id":"{{ event.subscription_id }}","event.external_id":"u"}"#, "no_identifier"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("onesignal") }

    @Test("a web push webhook without CORS says nothing of its content type, and is read")
    func webPush() throws {
        let body =
            #"""
            {"event":"notification.clicked","subscriptionId":"s-1",
            "additionalData":{"adapty_profile_id":"\#(profile)"}}
            """#
        #expect(
            try VendorCatalog().hook("onesignal", body, type: "text/plain;charset=UTF-8").summary == [
                "profile_id \(profile) \(Self.push)"
            ])
    }

    @Test("the time is seconds, quoted or not", arguments: ["1791966103", "\"1791966103\""])
    func times(_ timestamp: String) throws {
        let body = #"{"event.timestamp":\#(timestamp),"event.subscription_id":"s-1","event.external_id":"u"}"#
        #expect(try VendorCatalog().hook("onesignal", body).patches.first?.at?.milliseconds == 1_791_966_103_000)
    }
}
