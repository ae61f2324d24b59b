import Relay
import Testing

@testable import Vendors

/// What public reports show of real senders, each as it was sent. Names, ids and addresses are invented.
@Suite("Payloads from public reports")
struct ReportedPayloadTests {
    struct Report: CustomTestStringConvertible, Sendable {
        let kind: String
        let vendor: String
        let body: String
        var type: String? = "application/json"
        let expected: [String]

        init(
            _ kind: String, _ vendor: String, _ body: String, type: String? = "application/json", _ expected: String...
        ) {
            self.kind = kind
            self.vendor = vendor
            self.body = body
            self.type = type
            self.expected = expected
        }

        var testDescription: String { "\(vendor): \(kind)" }
    }

    private static let form = "application/x-www-form-urlencoded"
    private static let mark = "\u{FEFF}"
    private static let subscription = "8f0a2f5c-6c1e-4b69-a9c2-5d7c19b0e3a4"

    private static let wrapped = [
        Report(
            "a byte order mark before JSON that is called a form", "appsflyer",
            mark + #"{"appsflyer_id":"1700000000000-1","customer_user_id":"bom2"}"#, type: form,
            #"customer_user_id bom2 {"appsflyer_id":"1700000000000-1"}"#),
        Report(
            "a byte order mark before a form", "appsflyer",
            mark + "appsflyer_id=1700000000000-3&customer_user_id=bom3", type: form,
            #"customer_user_id bom3 {"appsflyer_id":"1700000000000-3"}"#),
        Report(
            "JSON in a JSON string", "appsflyer",
            #""{\"appsflyer_id\":\"1700000000000-46\",\"customer_user_id\":\"dj1\"}""#,
            #"customer_user_id dj1 {"appsflyer_id":"1700000000000-46"}"#),
        Report(
            "JSON as a form's parameter", "appsflyer",
            "payload=%7B%22appsflyer_id%22%3A%221700000000000-47%22%2C%22customer_user_id%22%3A%22pf1%22%7D",
            type: form,
            #"customer_user_id pf1 {"appsflyer_id":"1700000000000-47"}"#),
        Report(
            "a CloudEvent", "branch",
            #"""
            {"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"user_data":{"developer_identity":"u"}}}
            """#,
            #"customer_user_id u {"branch_id":"u"}"#),
        Report(
            "a CloudEvent with base64", "appsflyer",
            // {"appsflyer_id":"1","customer_user_id":"u"}
            #"{"specversion":"1.0","data_base64":"eyJhcHBzZmx5ZXJfaWQiOiIxIiwiY3VzdG9tZXJfdXNlcl9pZCI6InUifQ=="}"#,
            #"customer_user_id u {"appsflyer_id":"1"}"#),
        Report(
            "a wrapper of several", "appsflyer",
            #"{"data":[{"appsflyer_id":"1","customer_user_id":"u"},{"appsflyer_id":"2"},5]}"#,
            #"customer_user_id u {"appsflyer_id":"1"}"#, "no_profile", "not_an_object"),
        Report(
            "a wrapper around a wrapper is one too many", "appsflyer",
            #"{"data":{"data":{"appsflyer_id":"1","customer_user_id":"u"}}}"#, "no_identifier"),
        Report(
            "a wrapper that names the profile", "appsflyer",
            #"{"adapty_profile_id":"\#(profile)","data":{"appsflyer_id":"1","customer_user_id":"u"}}"#,
            #"profile_id \#(profile) {"appsflyer_id":"1"}"#),
        Report(
            "a data beside the ids is no wrapper", "amplitude",
            #"{"user_id":"u_1","data":{"user_id":"u_2","device_id":"D-2"}}"#,
            #"customer_user_id u_1 {"amplitude_user_id":"u_1"}"#),
        Report(
            "a Pub/Sub push of what is not JSON", "appmetrica",
            #"{"message":{"data":"aGVsbG8=","messageId":"1"},"subscription":"s"}"#, "unreadable"),
        Report(
            "a Pub/Sub push of nothing", "appmetrica",
            #"{"message":{"attributes":{},"messageId":"1"},"subscription":"s"}"#, "empty"),
        Report(
            "a Pub/Sub push of gzip", "firebase",
            #"{"message":{"data":"H4sIAAAAAAAAA6tWKkktLgEAKYvbVAsAAAA=","messageId":"1"},"subscription":"s"}"#,
            "unreadable"),
        Report(
            "a Pub/Sub push of lines", "firebase",
            // {"user_pseudo_id":"6D1B","user_id":"u"}\n{"user_pseudo_id":"6D1C","user_id":"v"}
            #"{"message":{"data":"eyJ1c2VyX3BzZXVkb19pZCI6IjZEMUIiLCJ1c2VyX2lkIjoidSJ9CnsidXNlcl9wc2V1ZG9faWQiOiI2RDFDIi"#
                + #"widXNlcl9pZCI6InYifQ==","messageId":"1"},"subscription":"s"}"#,
            #"customer_user_id u {"firebase_app_instance_id":"6D1B"}"#,
            #"customer_user_id v {"firebase_app_instance_id":"6D1C"}"#),
        Report(
            "a Pub/Sub push of something else than base64", "firebase",
            #"{"message":{"data":"e","messageId":"1"}}"#, "unreadable"),
    ]

    private static let labelled = [
        Report(
            "JSON as octets, which is what Cloud Tasks says", "appsflyer",
            #"{"appsflyer_id":"1","customer_user_id":"u"}"#, type: "application/octet-stream",
            #"customer_user_id u {"appsflyer_id":"1"}"#),
        Report(
            "lines that are called JSON", "appsflyer",
            "{\"appsflyer_id\":\"1\",\"customer_user_id\":\"u\"}\n{\"appsflyer_id\":\"2\",\"customer_user_id\":\"v\"}\n",
            #"customer_user_id u {"appsflyer_id":"1"}"#, #"customer_user_id v {"appsflyer_id":"2"}"#),
        Report(
            "one bad line among good ones", "appsflyer",
            "{\"appsflyer_id\":\"1\",\"customer_user_id\":\"u\"}\n{\"appsflyer_id\":\n",
            type: "application/x-ndjson",
            #"customer_user_id u {"appsflyer_id":"1"}"#, "unreadable"),
    ]

    private static let damaged = [
        Report(
            "an empty value", "appmetrica", #"{"appmetrica_device_id":,"profile_id":"am1"}"#,
            #"customer_user_id am1 {"appmetrica_profile_id":"am1"}"#),
        Report(
            "quotes in a message", "onesignal",
            #"{"event.kind":"message.push.sent","event.subscription_id":"\#(subscription)","event.external_id":"osq1","#
                + #""message.title":"He said "hi""}"#,
            #"customer_user_id osq1 {"one_signal_subscription_id":"\#(subscription)"}"#),
        Report(
            "a line break in a message", "onesignal",
            #"{"event.kind":"message.push.sent","event.subscription_id":"\#(subscription)","event.external_id":"osn1","#
                + "\"message.contents\":\"{'en':'line one\nline two'}\"}",
            #"customer_user_id osn1 {"one_signal_subscription_id":"\#(subscription)"}"#),
        Report(
            "NaN and a trailing comma", "appsflyer",
            #"{"event_revenue":NaN,"appsflyer_id":"1","customer_user_id":"u",}"#,
            #"customer_user_id u {"appsflyer_id":"1"}"#),
        Report(
            "two documents in one, which could be one person's or two", "appsflyer",
            #"{"appsflyer_id":"1","customer_user_id":"u","n":"x"y"}"# + "\n"
                + #"{"appsflyer_id":"2","customer_user_id":"v","n":"x"y"}"#,
            #"customer_user_id u {"appsflyer_id":"1"}"#, #"customer_user_id v {"appsflyer_id":"2"}"#),
        Report(
            "a quote in the id itself", "appsflyer", #"{"appsflyer_id":"1"2","customer_user_id":"u"}"#, "no_identifier"),
        Report(
            "a quote in the user's id", "appsflyer", #"{"appsflyer_id":"1","customer_user_id":"O"Neill"}"#,
            "bad_profile"),
        Report(
            "an id without its quotes", "appsflyer", #"{"appsflyer_id":1700-12,"customer_user_id":"u"}"#,
            "no_identifier"),
    ]

    private static let lookalikes = [
        Report(
            "a group's event", "posthog",
            #"""
            {"event":{"uuid":"019585bf-0000-7000-8000-000000000001","event":"$groupidentify",
            "distinct_id":"$company_41","properties":{"$group_type":"company","$group_key":"41",
            "$group_set":{"name":"Acme"},"$lib":"posthog-php"},"timestamp":"2026-11-27T10:00:00+01:00"},"person":null}
            """#,
            "not_applicable"),
        Report(
            "an SMS", "pushwoosh", #"{"hwid":"+15550100999","user_id":"pws1","platform":"sms"}"#, "not_applicable"),
    ]

    private static let places = [
        Report(
            "a profile among a template's properties", "amplitude",
            #"""
            {"external_id":"","device_id":"3e0f7c12","name":"x","time":"2026-10-14 08:30:02.511000",
            "properties":{"adapty_profile_id":"\#(profile)"}}
            """#,
            #"profile_id \#(profile) {"amplitude_device_id":"3e0f7c12"}"#),
        Report(
            "a profile in JSON in a string", "appmetrica",
            #"{"appmetrica_device_id":"14820355917743086215","profile_id":"u","#
                + #""event_json":"{\"adapty_profile_id\":\"\#(profile)\"}"}"#,
            #"profile_id \#(profile) {"appmetrica_device_id":"14820355917743086215","appmetrica_profile_id":"u"}"#),
        Report(
            "several events", "amplitude",
            #"{"api_key":"k","events":[{"user_id":"u_1"},{"user_id":"u_2","adapty_profile_id":"\#(profile)"}]}"#,
            #"customer_user_id u_1 {"amplitude_user_id":"u_1"}"#, #"profile_id \#(profile) {"amplitude_user_id":"u_2"}"#
        ),
        Report(
            "a batch of its own API", "posthog",
            #"{"api_key":"k","batch":[{"event":"x","distinct_id":"u"},{"event":"y","properties":{"distinct_id":"v"}}]}"#,
            #"customer_user_id u {"posthog_distinct_user_id":"u"}"#,
            #"customer_user_id v {"posthog_distinct_user_id":"v"}"#),
        Report(
            "the shape of its S2S API", "appsflyer",
            #"{"appsflyer_id":"1","eventName":"x","eventValue":"{\"adapty_customer_user_id\":\"u\"}"}"#,
            #"customer_user_id u {"appsflyer_id":"1"}"#),
        Report(
            "a user id that is a number", "firebase",
            #"{"user_pseudo_id":"6D1B","user_properties":[{"key":"user_id","value":{"int_value":"48213"}}]}"#,
            #"customer_user_id 48213 {"firebase_app_instance_id":"6D1B"}"#),
    ]

    @Test("come to what they mean", arguments: wrapped + labelled + damaged + lookalikes + places)
    func reads(_ report: Report) throws {
        #expect(try VendorCatalog().hook(report.vendor, report.body, type: report.type).summary == report.expected)
    }

    @Test(
        "as queries come to what they mean",
        arguments: [
            (
                "airbridge", "eventName=x&airbridge_device_id=7c1e&user_id=usr-1",
                #"customer_user_id usr-1 {"airbridge_device_id":"7c1e"}"#
            ),
            ("adjust", "?adid=a1&user_id=u", #"customer_user_id u {"adjust_device_id":"a1"}"#),
            ("adjust", "adid=a1&amp;user_id=u", #"customer_user_id u {"adjust_device_id":"a1"}"#),
            ("adjust", "app=x?adid=a1&user_id=u", #"customer_user_id u {"adjust_device_id":"a1"}"#),
            ("adjust", "%EF%BB%BFadid=a1&user_id=u", #"customer_user_id u {"adjust_device_id":"a1"}"#),
        ])
    func queries(_ vendor: String, _ query: String, _ expected: String) throws {
        #expect(try VendorCatalog().hook(vendor, query: query).summary == [expected])
    }

    @Test("of two rows of BigQuery the newer one stays, however its time is written")
    func exponent() throws {
        func time(_ text: String) throws -> Timestamp? {
            let body =
                #"{"event_timestamp":\#(text),"user_pseudo_id":"bbbb0000bbbb0000bbbb0000bbbb0002","user_id":"en1"}"#
            return try VendorCatalog().hook("firebase", body).patches.first?.at
        }
        let older = try #require(try time("1.7642376E15"))
        #expect(older.description == "2025-11-27T10:00:00.000Z")
        #expect(try #require(try time("1791966103117000")) > older)
    }

    @Test("a time that is there and cannot be read is oldest and counted; one that is not there is now")
    func unreadableTimes() throws {
        func read(_ time: String) throws -> Normalization {
            try VendorCatalog().hook("appsflyer", #"{"appsflyer_id":"1","customer_user_id":"u"\#(time)}"#)
        }
        for time in [#""soon""#, "0", #""2026-99-99""#, "true", "{}", "99999999999", #""2026-10-14 08:21 CET""#] {
            let result = try read(#","event_time":\#(time)"#)
            #expect(result.patches.first?.at == .oldest, "\(time)")
            #expect(result.unreadableTimes == 1, "\(time)")
        }
        for time in ["", #","event_time":null"#, #","event_time":"""#, #","event_time":"{event_time}""#] {
            let result = try read(time)
            #expect(result.patches.first?.at == nil, "\(time)")
            #expect(result.unreadableTimes == 0, "\(time)")
        }
    }

    @Test("what is skipped for want of an id or a profile says which names came, and no value")
    func keys() throws {
        let body = #"""
            {"appsflyerId":"secret-1","user":{"id":"secret-2","person@example.com":1},"secret-3 91234567":1,
            "48213":{},"\u0000":1}
            """#
        let result = try VendorCatalog().hook("appsflyer", body)
        #expect(result.summary == ["no_identifier"])
        #expect(result.keys == ["appsflyerId", "user", "user.id"])
        #expect(try VendorCatalog().hook("appsflyer", #"{"appsflyer_id":"1"}"#).keys == ["appsflyer_id"])
        #expect(try VendorCatalog().hook("appsflyer", #"{"appsflyer_id":"1","customer_user_id":"u"}"#).keys == [])
        let many = (0..<99).map { #""k\#(String(repeating: "x", count: $0))":1"# }.joined(separator: ",")
        #expect(try VendorCatalog().hook("appsflyer", "{\(many)}").keys.count == 32)
    }
}
