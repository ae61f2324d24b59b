import Relay
import Testing

@testable import Vendors

@Suite("Explanations")
struct TraceTests {
    private static func explain(_ vendor: String, _ request: Request) throws -> (patches: Int, lines: [String]) {
        let catalog = try VendorCatalog()
        let explanation = catalog.explain(request, through: .hook(Source(name: "s", vendor: vendor, app: "a")))
        let result = try catalog.hook(vendor, request)
        #expect(try explanation.result.get() == result)
        return (try explanation.result.get().patches.count, explanation.trace.findings.map(\.description))
    }

    @Test("say which value came from where")
    func taken() throws {
        let (count, lines) = try Self.explain("appsflyer", Sample.request(fixture: "appsflyer-1.json"))
        #expect(count == 1)
        #expect(
            lines == [
                "appsflyer_id: taken from appsflyer_id", "profile id: taken from /custom_data/adapty_profile_id",
                "customer user id: not needed, profile id is there", "event time: taken from event_time",
            ])
    }

    @Test("say what was passed over and why, in which event, and no value")
    func passedOver() throws {
        let secret = "secret-value"
        let members =
            #"""
            [{"user_id":"unknown"},{"user_id":1.5},{"user_id":"\#(secret)","computed_time":1},
            {"user_id":"\#(secret)\u0001"}]
            """#
        let (count, lines) = try Self.explain(
            "amplitude", Sample.request(#"{"computed_time":"soon","users":\#(members)}"#))
        #expect(count == 1)
        #expect(
            lines == [
                "/users/0: amplitude_device_id: not found",
                "/users/0: amplitude_user_id: user_id holds a value that means nothing",
                "/users/0: amplitude_user_id: not found", "/users/1: amplitude_device_id: not found",
                "/users/1: amplitude_user_id: user_id is passed over, it is a number with a fraction or exponent",
                "/users/1: amplitude_user_id: not found", "/users/2: amplitude_device_id: not found",
                "/users/2: amplitude_user_id: taken from user_id", "/users/2: profile id: not found",
                "/users/2: customer user id: taken from user_id",
                "/users/2: event time: computed_time is passed over, it is no time, or an absurd one",
                "/users/2: event time: none can be read, so it counts as oldest",
                "/users/3: amplitude_device_id: not found",
                "/users/3: amplitude_user_id: user_id is passed over, it holds control characters",
            ])
    }

    @Test("name the rule that forbids a value")
    func excepted() throws {
        let (_, lines) = try Self.explain("onesignal", Sample.request(fixture: "onesignal-3.json"))
        #expect(
            lines.contains(
                "one_signal_subscription_id: event.subscription_id is passed over, "
                    + "an e-mail or SMS subscription is not the push subscription"
            ))
    }

    @Test("of a refusal carry it")
    func refused() throws {
        let catalog = try VendorCatalog()
        let explanation = catalog.explain(
            Sample.request("{"), through: .hook(Source(name: "s", vendor: "adjust", app: "a")))
        #expect(throws: Refusal.self) { try explanation.result.get() }
        #expect(explanation.trace.findings.isEmpty)
    }
}
