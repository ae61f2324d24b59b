import Relay
import Testing

@testable import Vendors

@Suite("Vendors from the configuration")
struct VendorDeclarationTests {
    private static let acme = VendorDeclaration(
        name: "acme", identifiers: [.appsflyerID: ["/ids/af"], .adjustDeviceID: ["adj"]],
        customerUserID: ["/user/id", "uid"],
        profileID: ["/user/adapty"], eventTime: ["/at"], batches: ["/events"], meaningless: ["nobody"],
        meaningful: ["0"])

    @Test(
        "are read like built-in ones",
        arguments: [
            (#"{"ids":{"af":"1"},"user":{"id":"u"}}"#, [#"customer_user_id u {"appsflyer_id":"1"}"#]),
            (
                #"{"ids":{"af":"1"},"adj":"2","uid":"u"}"#,
                [#"customer_user_id u {"adjust_device_id":"2","appsflyer_id":"1"}"#]
            ),
            (
                #"{"ids":{"af":"1"},"user":{"id":"u","adapty":"\#(profile)"}}"#,
                [#"profile_id \#(profile) {"appsflyer_id":"1"}"#]
            ),
            (#"{"appsflyer_id":"1","adapty_customer_user_id":"u"}"#, [#"customer_user_id u {"appsflyer_id":"1"}"#]),
            (
                #"{"events":[{"adj":"2","uid":"u"},{"adj":"Nobody","uid":"u"}]}"#,
                [#"customer_user_id u {"adjust_device_id":"2"}"#, "no_identifier"]
            ),
            (#"{"adj":"2","uid":"0"}"#, [#"customer_user_id 0 {"adjust_device_id":"2"}"#]),
            (#"{"adj":"2","uid":"-1"}"#, ["no_profile"]),
        ])
    func read(_ payload: String, _ expected: [String]) throws {
        let catalog = try VendorCatalog(extending: [Self.acme])
        #expect(catalog.knows(vendor: "acme"))
        #expect(try catalog.hook("acme", payload).summary == expected)
    }

    @Test("may name parameters of a query, and their time")
    func query() throws {
        let catalog = try VendorCatalog(extending: [Self.acme])
        let result = try catalog.hook("acme", query: "adj=2&uid=u&at=1791966103")
        #expect(result.summary == [#"customer_user_id u {"adjust_device_id":"2"}"#])
        #expect(result.patches.first?.at?.milliseconds == 1_791_966_103_000)
    }

    @Test("of a built-in name add to it, and come first")
    func additions() throws {
        let catalog = try VendorCatalog(extending: [
            .init(
                name: "adjust", identifiers: [.adjustDeviceID: ["device"], .appsflyerID: ["af"]],
                customerUserID: ["who"],
                meaningful: ["0"])
        ])
        func read(_ query: String) throws -> [String] { try catalog.hook("adjust", query: query).summary }
        #expect(try read("device=d&adid=a&who=w&user_id=u") == [#"customer_user_id w {"adjust_device_id":"d"}"#])
        #expect(
            try read("adid=a&user_id=u&af=f") == [#"customer_user_id u {"adjust_device_id":"a","appsflyer_id":"f"}"#])
        #expect(try read("adid=a&user_id=0") == [#"customer_user_id 0 {"adjust_device_id":"a"}"#])
        #expect(try VendorCatalog().hook("adjust", query: "adid=a&user_id=0").summary == ["no_profile"])
    }

    @Test("keep a built-in vendor's rules")
    func rules() throws {
        let catalog = try VendorCatalog(extending: [.init(name: "pushwoosh", identifiers: [.pushwooshHWID: ["device"]])]
        )
        #expect(try catalog.hook("pushwoosh", query: "device=d&platform=Email&user_id=u").summary == ["not_applicable"])
        let mixpanel = try VendorCatalog(extending: [.init(name: "mixpanel", customerUserID: ["email"])])
        #expect(mixpanel.dialect(of: "mixpanel") is MixpanelDialect)
    }

    @Test("turn a built-in identifier off with an empty list")
    func off() throws {
        let catalog = try VendorCatalog(extending: [.init(name: "amplitude", identifiers: [.amplitudeUserID: []])])
        #expect(
            try catalog.hook("amplitude", #"{"user_id":"u","device_id":"d"}"#).summary == [
                #"customer_user_id u {"amplitude_device_id":"d"}"#
            ])
    }

    @Test(
        "that are mistakes are told in a sentence",
        arguments: [
            (
                VendorDeclaration(name: "acme"),
                "The vendor acme is not built in, and no identifiers are declared for it."
            ),
            (VendorDeclaration(name: "acme", identifiers: [.branchID: []]), "The vendor acme has no identifiers left."),
            (
                VendorDeclaration(name: "branch", identifiers: [.branchID: []]),
                "The vendor branch has no identifiers left."
            ),
            (
                VendorDeclaration(name: "acme", identifiers: [.branchID: ["/a~b"]]),
                "In the JSON pointer /a~b a ~ must be written ~0."
            ),
            (
                VendorDeclaration(name: "adjust", eventTime: [""]),
                "A place is a JSON pointer (/user/id) or a name (user_id); it cannot be empty."
            ),
        ])
    func mistakes(_ declaration: VendorDeclaration, _ words: String) {
        #expect(throws: Place.Mistake(words)) { try VendorCatalog(extending: [declaration]) }
    }
}
