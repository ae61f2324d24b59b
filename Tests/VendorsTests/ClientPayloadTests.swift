import Relay
import Testing

@testable import Vendors

@Suite("What client apps send")
struct ClientPayloadTests {
    private let catalog: VendorCatalog

    init() throws {
        catalog = try VendorCatalog()
    }

    private static let user = Relay.Field("adapty-customer-user-id", "u")

    private func client(
        _ vendor: String, _ body: String, _ headers: [Relay.Field] = [user], type: String? = "application/json"
    ) throws(Refusal) -> Normalization {
        try catalog.normalize(Sample.request(body, type: type, headers: headers), through: .client(vendor: vendor))
    }

    private func dropIn(
        _ body: String, _ headers: [Relay.Field] = [user], version: APIVersion = .v2, type: String? = "application/json"
    ) throws(Refusal) -> Normalization {
        try catalog.normalize(Sample.request(body, type: type, headers: headers), through: .dropIn(version))
    }

    @Test(
        "is short names of the vendor",
        arguments: [
            ("amplitude", #"{"user_id":"a","device_id":"b"}"#, #"{"amplitude_device_id":"b","amplitude_user_id":"a"}"#),
            ("appsflyer", #"{"appsflyer_id":"a"}"#, #"{"appsflyer_id":"a"}"#),
            (
                "onesignal", #"{"subscription_id":"a","player_id":"b"}"#,
                #"{"one_signal_player_id":"b","one_signal_subscription_id":"a"}"#
            ),
            ("adjust", #"{"adid":"a"}"#, #"{"adjust_device_id":"a"}"#),
            ("airbridge", #"{"device_id":"a"}"#, #"{"airbridge_device_id":"a"}"#),
            (
                "appmetrica", #"{"device_id":14820355917743086215,"profile_id":"p"}"#,
                #"{"appmetrica_device_id":"14820355917743086215","appmetrica_profile_id":"p"}"#
            ),
            ("branch", #"{"identity":"a"}"#, #"{"branch_id":"a"}"#),
            ("facebook", #"{"anon_id":"a"}"#, #"{"facebook_anonymous_id":"a"}"#),
            ("firebase", #"{"app_instance_id":"a"}"#, #"{"firebase_app_instance_id":"a"}"#),
            ("mixpanel", #"{"distinct_id":"a"}"#, #"{"mixpanel_user_id":"a"}"#),
            ("posthog", #"{"distinct_id":"a"}"#, #"{"posthog_distinct_user_id":"a"}"#),
            ("pushwoosh", #"{"hwid":"a"}"#, #"{"pushwoosh_hwid":"a"}"#),
            ("tenjin", #"{"analytics_installation_id":"a"}"#, #"{"tenjin_analytics_installation_id":"a"}"#),
            (
                "amplitude", #"{"amplitude_user_id":"a","appsflyer_id":"b","unknown":{}}"#,
                #"{"amplitude_user_id":"a","appsflyer_id":"b"}"#
            ),
        ])
    func shortNames(_ vendor: String, _ body: String, _ identifiers: String) throws {
        #expect(try client(vendor, body).summary == ["customer_user_id u \(identifiers)"])
    }

    @Test("is every identifier by Adapty's name, at every vendor's door", arguments: Identifier.allCases)
    func fullNames(_ identifier: Identifier) throws {
        for vendor in catalog.vendorNames {
            #expect(
                try client(vendor, #"{"\#(identifier.name)":"x"}"#).summary == [
                    #"customer_user_id u {"\#(identifier.name)":"x"}"#
                ])
        }
    }

    @Test(
        "names the profile in a header or in the body",
        arguments: [
            (#"{"user_id":"a"}"#, [Relay.Field("adapty-customer-user-id", " жанна ")], "customer_user_id жанна"),
            (#"{"user_id":"a"}"#, [Relay.Field("Adapty-Profile-Id", profile.uppercased())], "profile_id \(profile)"),
            (#"{"user_id":"a","adapty_customer_user_id":"u"}"#, [], "customer_user_id u"),
            (#"{"user_id":"a","adapty_customer_user_id":48213}"#, [], "customer_user_id 48213"),
            (
                #"{"user_id":"a","adapty_profile_id":"\#(profile)","adapty_customer_user_id":null}"#, [],
                "profile_id \(profile)"
            ),
            (#"{"user_id":"a","adapty_customer_user_id":"u"}"#, [user], "customer_user_id u"),
            (#"{"user_id":"a"}"#, [user, Relay.Field("adapty-profile-id", "")], "customer_user_id u"),
        ] as [(String, [Relay.Field], String)])
    func profiles(_ body: String, _ headers: [Relay.Field], _ expected: String) throws {
        #expect(try client("amplitude", body, headers).summary == [expected + #" {"amplitude_user_id":"a"}"#])
    }

    @Test("null means null, an empty string means nothing, and of a repeated name the last counts")
    func values() throws {
        #expect(
            try client("amplitude", #"{"user_id":null,"device_id":"d"}"#).summary == [
                #"customer_user_id u {"amplitude_device_id":"d","amplitude_user_id":null}"#
            ])
        #expect(try dropIn(#"{"branch_id":null}"#).summary == [#"customer_user_id u {"branch_id":null}"#])
        #expect(
            try client("branch", #"{"branch_id":"","appsflyer_id":" x "}"#).summary == [
                #"customer_user_id u {"appsflyer_id":"x"}"#
            ])
        #expect(try dropIn(#"{"branch_id":"a","branch_id":"b"}"#).summary == [#"customer_user_id u {"branch_id":"b"}"#])
        #expect(
            try dropIn(#"{"appmetrica_device_id":14820355917743086215}"#).summary == [
                #"customer_user_id u {"appmetrica_device_id":"14820355917743086215"}"#
            ])
        #expect(try dropIn(#"{"branch_id":"b"}"#).patches.first?.at == nil)
    }

    @Test(
        "is refused where a value is no string, with its name",
        arguments: [
            ("true", "must be a string."), ("1.5", "must be a string."), ("{}", "must be a string."),
            (#"["a"]"#, "must be a string."),
            (#""\ud800""#, "must be a string."), (#""a\nb""#, "holds control characters."),
            ("\"\(String(repeating: "x", count: 1025))\"", "is longer than 1024 bytes."),
        ])
    func badValues(_ value: String, _ words: String) {
        #expect(throws: Refusal.invalid("appsflyer_id \(words)")) { try dropIn(#"{"appsflyer_id":\#(value)}"#) }
        #expect(throws: Refusal.invalid("user_id \(words)")) { try client("amplitude", #"{"user_id":\#(value)}"#) }
        #expect(throws: Refusal.invalid("adapty_profile_id \(words)")) {
            try client("amplitude", #"{"user_id":"a","adapty_profile_id":\#(value)}"#, [])
        }
    }

    @Test(
        "is refused where it names nobody, or two",
        arguments: [
            ([], "Either adapty-customer-user-id or adapty-profile-id is required."),
            (
                [Relay.Field("adapty-profile-id", " "), Relay.Field("adapty-customer-user-id", "")],
                "Either adapty-customer-user-id or adapty-profile-id is required."
            ),
            (
                [user, Relay.Field("adapty-profile-id", profile)],
                "Send either adapty-customer-user-id or adapty-profile-id, not both."
            ),
            ([user, user], "adapty-customer-user-id must be sent once."),
            (
                [Relay.Field("adapty-profile-id", profile), Relay.Field("ADAPTY-PROFILE-ID", profile)],
                "adapty-profile-id must be sent once."
            ),
            ([Relay.Field("adapty-profile-id", "u")], "adapty-profile-id must be a UUID."),
            (
                [Relay.Field("adapty-customer-user-id", "a\u{1}b")],
                "adapty-customer-user-id must be 1 to 1024 bytes, none of them a control."
            ),
            (
                [Relay.Field("adapty-customer-user-id", "a\u{85}b")],
                "adapty-customer-user-id must be 1 to 1024 bytes, none of them a control."
            ),
            (
                [Relay.Field("adapty-customer-user-id", String(repeating: "x", count: 1025))],
                "adapty-customer-user-id must be 1 to 1024 bytes, none of them a control."
            ),
        ] as [([Relay.Field], String)])
    func badHeaders(_ headers: [Relay.Field], _ words: String) {
        #expect(throws: Refusal.invalid(words)) { try catalog.profile(of: Sample.request(headers: headers)) }
        #expect(throws: Refusal.invalid(words)) { try dropIn(#"{"branch_id":"b"}"#, headers) }
        #expect(throws: Refusal.invalid(words)) { try client("branch", #"{"branch_id":"b"}"#, headers) }
    }

    @Test(
        "names the profile alone where it asks, whatever the content type and the body say",
        arguments: [
            ([user], "customer_user_id u"),
            ([Relay.Field("Adapty-Profile-Id", profile.uppercased())], "profile_id \(profile)"),
            (
                [Relay.Field("adapty-customer-user-id", " жанна "), Relay.Field("adapty-profile-id", "")],
                "customer_user_id жанна"
            ),
        ] as [([Relay.Field], String)])
    func questions(_ headers: [Relay.Field], _ expected: String) throws {
        for type in ["application/json", "image/png", nil] as [String?] {
            let request = Sample.request("{", type: type, method: .get, headers: headers)
            let profile = try catalog.profile(of: request)
            #expect("\(profile.key) \(profile.value)" == expected)
        }
    }

    @Test("is refused where a header is not UTF-8")
    func headerBytes() {
        let name = Array("adapty-customer-user-id".utf8)
        let headers = Headers(
            bytes: name + [0xff], places: [.init(name: 0..<name.count, value: name.count..<(name.count + 1))])
        let request = Request(method: .post, path: "/", headers: headers, body: Array(#"{"branch_id":"b"}"#.utf8))
        #expect(throws: Refusal.invalid("adapty-customer-user-id must be UTF-8.")) {
            try catalog.normalize(request, through: .dropIn(.v2))
        }
        #expect(throws: Refusal.invalid("adapty-customer-user-id must be UTF-8.")) { try catalog.profile(of: request) }
    }

    @Test("is refused where header and body name different profiles")
    func contradiction() {
        #expect(throws: Refusal.invalid("The header and the body name different profiles.")) {
            try client("amplitude", #"{"user_id":"a","adapty_customer_user_id":"v"}"#)
        }
        #expect(throws: Refusal.self) { try client("amplitude", #"{"user_id":"a","adapty_profile_id":"\#(profile)"}"#) }
    }

    @Test(
        "is refused where it sets nothing",
        arguments: ["{}", #"{"unknown":"x"}"#])
    func nothing(_ body: String) {
        #expect(throws: Refusal.nothingToSet) { try dropIn(body) }
        #expect(throws: Refusal.nothingToSet) { try client("amplitude", body) }
    }

    private static let meaningless = [
        "", "  ", "undefined", "null", "None", "0", "00000000-0000-0000-0000-000000000000", "{{id}}", "unknown",
    ]

    /// Number 7 of "Whatever a vendor really sends": a rule that held at one door only.
    @Test("a value that means nothing is absent, and named where nothing else remains", arguments: meaningless)
    func meaninglessValues(_ value: String) throws {
        let words = "At least one integration identifier must be provided. What user_id says means nothing."
        #expect(throws: Refusal.invalid(words)) { try client("amplitude", #"{"user_id":"\#(value)"}"#) }
        #expect(
            try client("amplitude", #"{"user_id":"\#(value)","device_id":"D-1","adjust_device_id":"\#(value)"}"#)
                .summary == [#"customer_user_id u {"amplitude_device_id":"D-1"}"#])
    }

    @Test(
        "on the drop-in route a value that means nothing is refused for the whole, by its name", arguments: meaningless)
    func meaninglessDropIn(_ value: String) {
        let refusal = Refusal.invalid("branch_id holds a value that means nothing: leave it out, or send null.")
        for version in [APIVersion.v1, .v2] {
            #expect(throws: refusal) {
                try dropIn(#"{"appsflyer_id":"1-2","branch_id":"\#(value)"}"#, version: version)
            }
        }
    }

    @Test(
        "a header that means nothing is refused everywhere",
        arguments: meaningless.filter { !$0.trimmingBlanks.isEmpty })
    func meaninglessHeaders(_ value: String) {
        for name in ["adapty-customer-user-id", "adapty-profile-id"] {
            let refusal = Refusal.invalid("\(name) holds a value that means nothing.")
            let headers = [Relay.Field(name, value)]
            #expect(throws: refusal) { try dropIn(#"{"branch_id":"b"}"#, headers) }
            #expect(throws: refusal) { try client("branch", #"{"branch_id":"b"}"#, headers) }
            #expect(throws: refusal) { try catalog.profile(of: Sample.request(headers: headers)) }
        }
    }

    @Test("in the body of a client a profile that means nothing is absent, and named where nobody else is")
    func meaninglessProfiles() throws {
        let body = #"{"user_id":"a","adapty_customer_user_id":"undefined"}"#
        #expect(throws: Refusal.invalid("adapty_customer_user_id holds a value that means nothing.")) {
            try client("amplitude", body, [])
        }
        #expect(try client("amplitude", body).summary == [#"customer_user_id u {"amplitude_user_id":"a"}"#])
    }

    @Test("what a vendor's own list or the configuration says means something counts for clients too")
    func vendorsList() throws {
        #expect(throws: Refusal.self) { try client("amplitude", #"{"user_id":"lmy47d"}"#) }
        let catalog = try VendorCatalog(extending: [.init(name: "branch", meaningful: ["0"])])
        let request = Sample.request(#"{"identity":"0"}"#, headers: [Relay.Field("adapty-customer-user-id", "0")])
        #expect(
            try catalog.normalize(request, through: .client(vendor: "branch")).summary == [
                #"customer_user_id 0 {"branch_id":"0"}"#
            ])
    }

    @Test("is refused where it is no object", arguments: ["[]", "5", #""x""#, "null", #"[{"appsflyer_id":"x"}]"#])
    func noObject(_ body: String) {
        #expect(throws: Refusal.invalid("The body must be a JSON object.")) { try dropIn(body) }
        #expect(throws: Refusal.invalid("The body must be a JSON object.")) { try client("amplitude", body) }
    }

    @Test("without a body sets nothing, as Adapty says it, or is no payload")
    func noBody() {
        #expect(throws: Refusal.nothingToSet) { try dropIn("") }
        #expect(throws: Refusal.malformedBody("There is no payload.")) { try client("amplitude", "") }
    }

    @Test("is JSON, and said to be, or not said to be anything")
    func contentTypes() throws {
        for type in ["application/json", "text/plain", nil, "application/x+json"] as [String?] {
            #expect(try dropIn(#"{"branch_id":"b"}"#, type: type).patches.count == 1)
        }
        for type in ["application/x-www-form-urlencoded", "application/octet-stream", "text/xml"] {
            #expect(try dropIn(#"{"branch_id":"b"}"#, type: type).patches.count == 1)
        }
        for type in [
            "application/x-www-form-urlencoded", "application/xml", "application/x-ndjson", "multipart/form-data",
        ] {
            #expect(throws: Refusal.unsupportedMediaType) { try dropIn("branch_id=b", type: type) }
            #expect(throws: Refusal.unsupportedMediaType) { try client("branch", "branch_id=b", type: type) }
        }
        #expect(
            throws: Refusal.malformedBody(
                "The body is not valid JSON: it ends before an object or array does (near byte 1).")
        ) {
            try dropIn("{")
        }
    }

    @Test("the drop-in reads Adapty's fields only, and the profile from the headers only")
    func dropInNames() throws {
        #expect(
            try dropIn(#"{"user_id":"a","branch_id":"b","adapty_customer_user_id":"v"}"#).summary == [
                #"customer_user_id u {"branch_id":"b"}"#
            ])
        #expect(throws: Refusal.noProfile) { try dropIn(#"{"branch_id":"b","adapty_customer_user_id":"v"}"#, []) }
    }

    @Test("version 1 knows 13 fields", arguments: Identifier.allCases)
    func version1(_ identifier: Identifier) throws {
        let isNew = [.oneSignalPlayerID, .posthogDistinctUserID, .tenjinAnalyticsInstallationID].contains(identifier)
        let body = #"{"\#(identifier.name)":"x"}"#
        #expect(try dropIn(body, version: .v2).patches.count == 1)
        if isNew {
            #expect(throws: Refusal.nothingToSet) { try dropIn(body, version: .v1) }
        } else {
            #expect(try dropIn(body, version: .v1).patches.count == 1)
        }
    }

    @Test("at the door of a vendor that nobody knows is not found")
    func unknownVendor() {
        #expect(throws: Refusal.notFound) { try client("acme", "{}") }
    }

    @Test("at the door of a declared vendor is its plain names")
    func declared() throws {
        let catalog = try VendorCatalog(extending: [
            .init(name: "acme", identifiers: [.appsflyerID: ["/ids/af", "af"]])
        ])
        let request = Sample.request(#"{"af":"x"}"#, headers: [Self.user])
        #expect(
            try catalog.normalize(request, through: .client(vendor: "acme")).summary == [
                #"customer_user_id u {"appsflyer_id":"x"}"#
            ])
    }
}
