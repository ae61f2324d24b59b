import Relay
import Testing

@testable import Vendors

@Suite("AppsFlyer")
struct AppsFlyerTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "an organic install, before anybody logs in", #"{"appsflyer_id":"1547985076649-5309999"}"#, "no_profile"
            ),
            PartnerCase(
                "an event of a user, by GET", "appsflyer_id=1698811503838-647100570385722663&customer_user_id=a%40b.c",
                #"customer_user_id a@b.c {"appsflyer_id":"1698811503838-647100570385722663"}"#),
            PartnerCase(
                "a profile in event_value",
                #"{"appsflyer_id":"1-2","event_value":"{\"adapty_profile_id\":\"\#(profile)\"}"}"#,
                #"profile_id \#(profile) {"appsflyer_id":"1-2"}"#),
            PartnerCase(
                "a user in custom_data", #"{"appsflyer_id":"1-2","custom_data":"{\"adapty_customer_user_id\":\"u\"}"}"#,
                #"customer_user_id u {"appsflyer_id":"1-2"}"#),
            PartnerCase(
                "custom_data in a query",
                "appsflyer_id=1-2&custom_data=%7B%22adapty_profile_id%22%3A%22\(profile)%22%7D",
                #"profile_id \#(profile) {"appsflyer_id":"1-2"}"#),
            PartnerCase(
                "custom_data that is no JSON", #"{"appsflyer_id":"1-2","customer_user_id":"u","custom_data":"{oops"}"#,
                #"customer_user_id u {"appsflyer_id":"1-2"}"#),
            PartnerCase(
                "custom_data that is an object already",
                #"{"appsflyer_id":"1-2","custom_data":{"adapty_profile_id":"\#(profile)"}}"#,
                #"profile_id \#(profile) {"appsflyer_id":"1-2"}"#),
            PartnerCase("the text None", #"{"appsflyer_id":"None","customer_user_id":"u"}"#, "no_identifier"),
            PartnerCase("a user None", #"{"appsflyer_id":"1-2","customer_user_id":"None"}"#, "no_profile"),
            PartnerCase(
                "a user with a line break", #"{"appsflyer_id":"1-2","customer_user_id":"a\r\nb"}"#, "bad_profile"),
            PartnerCase(
                "a profile that is none", #"{"appsflyer_id":"1-2","custom_data":"{\"adapty_profile_id\":\"5f2c\"}"}"#,
                "bad_profile"),
            PartnerCase(
                "camel case of the inbound API", #"{"eventName":"x","appsflyer_id":"1-2","customer_user_id":7}"#,
                #"customer_user_id 7 {"appsflyer_id":"1-2"}"#),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("appsflyer") }

    @Test("install_time is no event time: it rides on every later event")
    func times() throws {
        let catalog = try VendorCatalog()
        let both = #"{"appsflyer_id":"1-2","customer_user_id":"u","install_time":"2026-10-01 00:00:00.000""#
        #expect(try catalog.hook("appsflyer", both + "}").patches.first?.at == nil)
        let event = try catalog.hook("appsflyer", both + #","event_time":"2026-10-14 08:21:43.117"}"#)
        #expect(event.patches.first?.at?.description == "2026-10-14T08:21:43.117Z")
    }
}
