import Relay
import Testing

@testable import Vendors

@Suite("Whom an event is about, and which ids it carries")
struct AddressTests {
    private static func read(_ members: String) throws -> Normalization {
        try VendorCatalog().hook("appsflyer", "{\(members)}")
    }

    @Test("a profile id beats a customer user id, and is written in lower case")
    func precedence() throws {
        let result = try Self.read(
            #""appsflyer_id":"1","customer_user_id":"u","adapty_profile_id":"\#(profile.uppercased())""#)
        #expect(result.summary == [#"profile_id \#(profile) {"appsflyer_id":"1"}"#])
    }

    @Test(
        "a profile id that means nothing leaves the customer user id to speak",
        arguments: [
            #""""#, #"" ""#, "null", #""null""#, #""00000000-0000-0000-0000-000000000000""#,
            #""{{adapty_profile_id}}""#, "{}", "true", "[]",
        ])
    func absentProfile(_ value: String) throws {
        let result = try Self.read(#""appsflyer_id":"1","customer_user_id":"u","adapty_profile_id":\#(value)"#)
        #expect(result.summary == [#"customer_user_id u {"appsflyer_id":"1"}"#])
    }

    @Test(
        "a profile id that is something else skips the event, though a customer user id is there",
        arguments: [
            #""5f2c1e0a""#, #""\#(profile)0""#, #""usr_1""#, "48213", #""5f2c1e0a7d434b8e9a610c3d9e7f4b12""#,
            #""\#(profile)\n\#(profile)""#,
        ])
    func badProfile(_ value: String) throws {
        let result = try Self.read(#""appsflyer_id":"1","customer_user_id":"u","adapty_profile_id":\#(value)"#)
        #expect(result.summary == ["bad_profile"])
        #expect(result.skips.first?.detail.hasPrefix("adapty_profile_id ") == true)
    }

    @Test(
        "a customer user id that cannot stand in a header skips the event",
        arguments: [
            #""a\nb""#, #""a\u0000""#, #""a\u007fb""#, #""a\u0085b""#, "\"\(String(repeating: "x", count: 1025))\"",
        ])
    func badUser(_ value: String) throws {
        let result = try Self.read(#""appsflyer_id":"1","customer_user_id":\#(value)"#)
        #expect(result.summary == ["bad_profile"])
    }

    @Test(
        "ids are kept as they came, but for the blanks around",
        arguments: [
            (#"" 1-2 ""#, "1-2"), (#""\t1-2\r\n""#, "1-2"), ("12345678901234567890123", "12345678901234567890123"),
            ("-5", "-5"),
            (#""007""#, "007"), (#""ÄbC-é""#, "ÄbC-é"), (#""a\u00e9\ud83d\ude00""#, "aé\u{1F600}"), (#""a b""#, "a b"),
            ("\"\(String(repeating: "x", count: 1024))\"", String(repeating: "x", count: 1024)),
        ])
    func kept(_ value: String, _ expected: String) throws {
        let result = try Self.read(#""appsflyer_id":\#(value),"customer_user_id":"u""#)
        #expect(result.patches.first?.identifiers[.appsflyerID] == .text(expected))
    }

    @Test(
        "what is no text, or unfit for an id, is none",
        arguments: [
            "1.5", "1e3", "1E+3", "true", "false", "{}", #"{"id":"1"}"#, "[]", #"["1"]"#, "null", #""a\ud800b""#,
            #""a\u0007b""#, #""a\u009fb""#,
            "\"\(String(repeating: "x", count: 1025))\"", "0", "-1",
        ])
    func unusable(_ value: String) throws {
        let result = try Self.read(#""appsflyer_id":\#(value),"customer_user_id":"u""#)
        #expect(result.summary == ["no_identifier"])
    }

    @Test("a user whose name holds half of a surrogate pair is nobody, and nobody else")
    func brokenUser() throws {
        #expect(try Self.read(#""appsflyer_id":"1","customer_user_id":"a\udc00""#).summary == ["bad_profile"])
    }

    @Test("a skip says what is missing, never a value")
    func details() throws {
        let secret = "secret-value"
        let results = try [
            Self.read(#""customer_user_id":"\#(secret)""#), Self.read(#""appsflyer_id":"\#(secret)""#),
            Self.read(#""appsflyer_id":"\#(secret)","adapty_profile_id":"\#(secret)""#),
            VendorCatalog().hook("pushwoosh", #"{"hwid":"\#(secret)@example.com","user_id":"\#(secret)"}"#),
        ]
        #expect(
            results.flatMap(\.skips).map(\.detail) == [
                "no appsflyer_id", "no profile id and no customer user id", "adapty_profile_id is not a UUID",
                "the HWID is an e-mail address",
            ])
    }
}
