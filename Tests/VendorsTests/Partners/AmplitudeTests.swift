import Relay
import Testing

@testable import Vendors

@Suite("Amplitude")
struct AmplitudeTests {
    @Test(
        "is read as its documentation has it",
        arguments: [
            PartnerCase(
                "an event of a known user", #"{"user_id":"u_1","device_id":"D-1","event_type":"x"}"#,
                #"customer_user_id u_1 {"amplitude_device_id":"D-1","amplitude_user_id":"u_1"}"#),
            PartnerCase("an event of a device only", #"{"device_id":"D-1","user_id":null}"#, "no_profile"),
            PartnerCase(
                "a device only, with a profile",
                #"{"device_id":"D-1","event_properties":{"adapty_profile_id":"\#(profile)"}}"#,
                #"profile_id \#(profile) {"amplitude_device_id":"D-1"}"#),
            PartnerCase(
                "an identify call",
                #"{"user_id":"u_1","user_properties":{"$set":{"adapty_profile_id":"\#(profile)"}}}"#,
                #"profile_id \#(profile) {"amplitude_user_id":"u_1"}"#),
            PartnerCase(
                "the customer's own name for the user beats user_id",
                #"{"user_id":"amp_1","user_properties":{"adapty_customer_user_id":"u_1"}}"#,
                #"customer_user_id u_1 {"amplitude_user_id":"amp_1"}"#),
            PartnerCase("an id on its own refuse list", #"{"user_id":"lmy47d","device_id":"{}"}"#, "no_identifier"),
            PartnerCase("a device of zeros", #"{"device_id":"00000000-0000-0000-0000-000000000000"}"#, "no_identifier"),
            PartnerCase(
                "an integer for a user", #"{"user_id":48213}"#, #"customer_user_id 48213 {"amplitude_user_id":"48213"}"#
            ),
            PartnerCase("amplitude_id is not the user", #"{"amplitude_id":918273645546372819}"#, "no_identifier"),
            PartnerCase("an empty cohort", #"{"cohort_id":"x","in_cohort":true,"users":[]}"#, "empty"),
            PartnerCase(
                "a cohort with all kinds of members",
                #"{"users":[{"user_id":"a1"},7,null,{"user_id":""},{"user_id":"b2","adapty_profile_id":"nonsense"}]}"#,
                #"customer_user_id a1 {"amplitude_user_id":"a1"}"#, "not_an_object", "not_an_object", "no_identifier",
                "bad_profile"),
            PartnerCase(
                "who left a cohort keeps his id", #"{"in_cohort":false,"users":[{"user_id":"a1"}]}"#,
                #"customer_user_id a1 {"amplitude_user_id":"a1"}"#),
            PartnerCase(
                "Adapty's own event, with its profile id for a user",
                #"{"partner_id":"adapty","user_id":"\#(profile)","device_id":"D-1"}"#,
                #"profile_id \#(profile) {"amplitude_device_id":"D-1"}"#),
            PartnerCase(
                "Adapty's own event, with nothing but that", #"{"partner_id":"adapty","user_id":"\#(profile)"}"#, "echo"
            ),
            PartnerCase(
                "Adapty's own event, with the customer's user", #"{"partner_id":"adapty","user_id":"u_1"}"#,
                #"customer_user_id u_1 {"amplitude_user_id":"u_1"}"#),
            PartnerCase(
                "a UUID for a user where Adapty did not send it", #"{"user_id":"\#(profile)"}"#,
                #"customer_user_id \#(profile) {"amplitude_user_id":"\#(profile)"}"#),
            PartnerCase("a cohort that is no list", #"{"users":{"user_id":"a1"}}"#, "no_identifier"),
        ])
    func reads(_ partnerCase: PartnerCase) throws { try partnerCase.check("amplitude") }

    @Test("an event's time is UTC; a cohort's holds for its members")
    func times() throws {
        let catalog = try VendorCatalog()
        let event = try catalog.hook("amplitude", #"{"user_id":"u_1","event_time":"2026-10-14 08:21:43.117000"}"#)
        #expect(event.patches.first?.at?.description == "2026-10-14T08:21:43.117Z")
        let cohort = try catalog.hook("amplitude", #"{"computed_time":"1791966100","users":[{"user_id":"u_1"}]}"#)
        #expect(cohort.patches.first?.at?.description == "2026-10-14T08:21:40.000Z")
    }
}
