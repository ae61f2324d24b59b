import Relay
import Testing

@testable import Vendors

@Suite("Adapty's names anywhere in an event")
struct ProfileSearchTests {
    private static let other = "00000000-7d43-4b8e-9a61-0c3d9e7f4b12"

    private static func read(_ members: String, _ vendor: String = "tenjin") throws -> [String] {
        let ids = #""analytics_installation_id":"i","customer_user_id":"own""#
        return try VendorCatalog().hook(vendor, "{\(ids),\(members)}").patches.map {
            "\($0.profile.key) \($0.profile.value)"
        }
    }

    @Test(
        "name the profile, the shallowest first",
        arguments: [
            (#""x":{"adapty_profile_id":"\#(profile)"}"#, "profile_id \(profile)"),
            (#""x":{"y":[{"z":{"adapty_profile_id":"\#(profile)"}}]}"#, "profile_id \(profile)"),
            (#""x":"{\"y\":{\"adapty_profile_id\":\"\#(profile)\"}}""#, "profile_id \(profile)"),
            (#""x":" \ufeff[{\"adapty_customer_user_id\":\"u\"}]""#, "customer_user_id u"),
            (
                #""x":{"y":{"adapty_profile_id":"\#(other)"},"adapty_profile_id":"\#(profile)"}"#,
                "profile_id \(profile)"
            ),
            (#""x":{"adapty_customer_user_id":"u"}"#, "customer_user_id u"),
            (#""x":{"adapty_customer_user_id":48213}"#, "customer_user_id 48213"),
            // A profile id beats a user id, however deep.
            (
                #""adapty_customer_user_id":"u","x":{"y":{"adapty_profile_id":"\#(profile)"}}"#,
                "profile_id \(profile)"
            ),
            // Its own place beats what is elsewhere.
            (#""adapty_profile_id":"\#(profile)","x":{"adapty_profile_id":"\#(other)"}"#, "profile_id \(profile)"),
            // The same said twice is said once.
            (
                #""x":{"adapty_profile_id":"\#(profile)"},"y":{"adapty_profile_id":"\#(profile.uppercased())"}"#,
                "profile_id \(profile)"
            ),
            // What means nothing is not there.
            (
                #""x":{"adapty_profile_id":"undefined"},"y":{"z":{"adapty_profile_id":"\#(profile)"}}"#,
                "profile_id \(profile)"
            ),
            (#""x":{"adapty_profile_id":null,"adapty_customer_user_id":""}"#, "customer_user_id own"),
            (#""x":{"adapty_profile_id":["\#(profile)"]}"#, "customer_user_id own"),
            // As analytics wrap it.
            (#""x":{"adapty_profile_id":{"value":"\#(profile)"}}"#, "profile_id \(profile)"),
            (#""x":{"adapty_profile_id":{"value":{"string_value":"\#(profile)"}}}"#, "profile_id \(profile)"),
            (#""x":{"adapty_customer_user_id":{"int_value":"7001"}}"#, "customer_user_id 7001"),
            // Other names are other names.
            (#""x":{"adapty_profile_ix":"\#(profile)","Adapty_profile_id":"\#(profile)"}"#, "customer_user_id own"),
        ])
    func names(_ members: String, _ expected: String) throws {
        #expect(try Self.read(members) == [expected])
    }

    @Test("that differ at one depth are ambiguous, and nobody is named")
    func ambiguous() throws {
        let catalog = try VendorCatalog()
        func read(_ members: String) throws -> [String] {
            try catalog.hook("tenjin", "{\"analytics_installation_id\":\"i\",\(members)}").summary
        }
        #expect(
            try read(#""x":{"adapty_profile_id":"\#(profile)"},"y":{"adapty_profile_id":"\#(Self.other)"}"#) == [
                "ambiguous_profile"
            ])
        #expect(
            try read(#""x":{"adapty_customer_user_id":"u"},"y":[{"adapty_customer_user_id":"v"}]"#) == [
                #"customer_user_id u {"tenjin_analytics_installation_id":"i"}"#
            ])
        #expect(
            try read(#""customer_user_id":"w","x":[{"adapty_customer_user_id":"u"},{"adapty_customer_user_id":"v"}]"#)
                == ["ambiguous_profile"])
    }

    @Test("that are no profile skip the event")
    func bad() throws {
        let catalog = try VendorCatalog()
        let body = #"{"analytics_installation_id":"i","customer_user_id":"u","x":{"adapty_profile_id":"me"}}"#
        let result = try catalog.hook("tenjin", body)
        #expect(result.summary == ["bad_profile"])
        #expect(result.skips.first?.detail == "adapty_profile_id, 2 levels deep is not a UUID")
    }

    @Test("count within one member of a batch only")
    func batch() throws {
        let body = #"""
            {"x":{"adapty_profile_id":"\#(profile)"},"events":[{"user_id":"u_1"},
            {"user_id":"u_2","x":{"y":{"adapty_profile_id":"\#(Self.other)"}}},{"user_id":"u_3"}]}
            """#
        #expect(
            try VendorCatalog().hook("amplitude", body).patches.map(\.profile.value) == ["u_1", Self.other, "u_3"])
    }

    @Test(
        "are another's where what holds them is about another",
        arguments: [
            ("posthog", #"{"distinct_id":"u","properties":{"$group_set":{"adapty_profile_id":"\#(profile)"}}}"#),
            ("amplitude", #"{"user_id":"u","group_properties":{"adapty_profile_id":"\#(profile)"}}"#),
            ("branch", #"{"developer_identity":"u","link_data":{"data":{"adapty_profile_id":"\#(profile)"}}}"#),
        ])
    func others(_ vendor: String, _ body: String) throws {
        #expect(try VendorCatalog().hook(vendor, body).patches.map(\.profile.value) == ["u"])
    }

    @Test("are looked for 16 levels deep, and in 16 documents within strings")
    func bounds() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #""x":{"#, count: depth - 1) + #""adapty_profile_id":"\#(profile)""#
                + String(repeating: "}", count: depth - 1)
        }
        #expect(try Self.read(nested(16)) == ["profile_id \(profile)"])
        #expect(try Self.read(nested(17)) == ["customer_user_id own"])
        let document = #""{\"adapty_profile_ix\":\"\#(profile)\"}""#
        let many = (0..<100).map { #""k\#($0)":\#(document)"# }.joined(separator: ",")
        #expect(try Self.read(many) == ["customer_user_id own"])
    }

    @Test("in a query beside a body count after the body's")
    func query() throws {
        let request = Sample.request(
            #"{"analytics_installation_id":"i","customer_user_id":"u"}"#, type: "application/json",
            query: "x=%7B%22adapty_profile_id%22%3A%22\(profile)%22%7D")
        #expect(try VendorCatalog().hook("tenjin", request).patches.map(\.profile.value) == [profile])
    }
}
