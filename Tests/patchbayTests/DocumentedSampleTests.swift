import Foundation
import Testing

/// Code that talks to Adapty, pointed at a relay: only host and key change, and what it hears does not.
@Suite("The whole process: Adapty's documented samples", .serialized)
struct DocumentedSampleTests {
    private static let possible = DocumentedSample.allCases.filter(\.isPossible)
    private static let identifiers = #"{"branch_id":"b","facebook_anonymous_id":"XZ7EF7D15E","adjust_device_id":null}"#

    private let test: RelayUnderTest
    private let sandbox: RunningPatchbay

    init() async throws {
        test = try await RelayUnderTest(sandboxOptions: ["--profile", "usr_1"])
        sandbox = try #require(test.sandbox)
    }

    private func throughRelay(_ user: String = "usr_1", key: String = RelayUnderTest.clientKey)
        -> DocumentedSample.Target
    {
        .init(address: test.relay.address, key: key, user: user)
    }

    private func direct(_ user: String = "usr_1", key: String = RelayUnderTest.secretKey) -> DocumentedSample.Target {
        .init(address: sandbox.address, key: key, user: user)
    }

    @Test("this machine can run them", arguments: DocumentedSample.allCases)
    func canRun(sample: DocumentedSample) {
        withKnownIssue("\(sample) is not tested: its interpreter, or its library, is not here", isIntermittent: true) {
            #expect(sample.isPossible)
        }
    }

    @Test("as they stand, they hear from the relay what they would hear from Adapty", arguments: possible)
    func unchanged(sample: DocumentedSample) async throws {
        _ = try await DocumentedSample.curl.run(DocumentedSample.curl.posting(Self.identifiers), at: direct())
        let heard = try await sample.run(sample.documented, at: throughRelay())
        #expect(heard == (try await sample.run(sample.documented, at: direct())))
        switch sample {
        case .curl:
            // `--data` without `--request GET` is a POST, and this one sets nothing.
            #expect(heard.output.contains("At least one integration identifier must be provided."))
        case .python:
            #expect(heard.output.contains(#""branch_id":"b""#))
        case .javaScript:
            // The fetch standard lets no GET have a body, not even an empty one: nothing is sent, to nobody.
            #expect(heard.errors.hasPrefix("TypeError: Request with GET/HEAD method cannot have body"))
        }
    }

    @Test("mended so that they read, they read what Adapty holds", arguments: possible)
    func reading(sample: DocumentedSample) async throws {
        let code =
            switch sample {
            case .curl: try sample.documented.replacing("curl --location", with: "curl --request GET --location")
            case .python: try sample.documented
            case .javaScript: try sample.documented.replacing("  body: raw,\n", with: "")
            }
        _ = try await sample.run(sample.posting(Self.identifiers), at: throughRelay())
        let heard = try await sample.run(code, at: throughRelay())
        #expect(heard == (try await sample.run(code, at: direct())))
        let held = try #require(try JSONSerialization.jsonObject(with: Data(heard.output.utf8)) as? NSDictionary)
        #expect(held.count == 16)
        #expect(held["branch_id"] as? String == "b" && held["adjust_device_id"] is NSNull)
        // Reading is asked once each, and nothing is kept of it.
        #expect(try test.metric("patchbay_profiles_waiting") == 0)
    }

    @Test("with POST and the documented body they set all 16 fields, and hear the blank answer", arguments: possible)
    func posting(sample: DocumentedSample) async throws {
        let json = try DocumentedSample.file("set-integration-identifiers-v2.json")
        let heard = try await sample.run(sample.posting(json), at: throughRelay())
        #expect(heard == DocumentedSample.Outcome(output: "", errors: ""))
        let expected = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
        #expect(expected.count == 16)
        #expect(try test.held().profiles["usr_1"] == expected)
    }

    @Test("with the v1 path and its documented body they set all 13 fields", arguments: possible)
    func version1(sample: DocumentedSample) async throws {
        let json = try DocumentedSample.file("add-integration-identifiers-v1.json")
        let code = try sample.posting(json).replacing("/api/v2/", with: "/api/v1/")
        // The relay's app speaks v2 upstream, and answers so.
        #expect(try await sample.run(code, at: throughRelay()) == DocumentedSample.Outcome(output: "", errors: ""))
        let expected = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
        #expect(expected.count == 13)
        #expect(try test.held().profiles["usr_1"] == expected)
    }

    @Test("what is wrong is said in Adapty's words: the key, the profile, the fields", arguments: possible)
    func errors(sample: DocumentedSample) async throws {
        let set = try sample.posting(Self.identifiers)
        let nobody = try await sample.run(set, at: throughRelay("nobody"))
        #expect(nobody == (try await sample.run(set, at: direct("nobody"))))
        #expect(nobody.output.contains("profile_not_found"))
        let stranger = try await sample.run(set, at: throughRelay(key: "wrong"))
        #expect(stranger == (try await sample.run(set, at: direct(key: "wrong"))))
        #expect(stranger.output.contains("Invalid API key"))
        let nothing = try sample.posting("{}")
        #expect(try await sample.run(nothing, at: throughRelay()) == sample.run(nothing, at: direct()))
    }
}
