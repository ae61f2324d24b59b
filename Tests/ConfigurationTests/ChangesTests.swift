import Relay
import Synchronization
import Testing

@testable import Configuration

@Suite("What changed between two configurations")
struct ChangesTests {
    private func load(_ yaml: String, secret: String = "one") throws -> Configuration {
        let surroundings = Surroundings(
            environment: { ["KEY": "secret_live_1", "TOKEN": secret][$0] }, contents: { _ in [] }, cores: 2)
        return try Configuration(yaml: yaml, in: surroundings, vendors: ["appsflyer"])
    }

    private static let minimal = "apps: { main: { secret_key: env:KEY } }\n"
    private static let source =
        "sources: { a: { vendor: appsflyer, app: main, auth: { token: env:TOKEN, in: query } } }\n"

    @Test(
        "is told by its keys, defaults and secrets included, never by a value",
        arguments: [
            (minimal, minimal, []), (minimal, "loops: 2\n" + minimal, []), (minimal, "loops: 3\n" + minimal, ["loops"]),
            (minimal, minimal + "drain: { delay: 1s }\n", ["drain.delay"]),
            (minimal, "trusted_proxies: [10.0.0.0/8, 127.0.0.1]\n" + minimal, ["trusted_proxies"]),
            (source + minimal, source + minimal, []),
            (source + minimal, source.replacing("query", with: "path") + minimal, ["sources.a.auth.in"]),
        ])
    func keys(old: String, new: String, changed: [String]) throws {
        let changes = try load(new).changes(from: load(old)).filter { $0 != "sources.a.auth.name" }
        #expect(changes == changed)
    }

    @Test("a secret that has changed where it is found is a change")
    func secrets() throws {
        let text = Self.source + Self.minimal
        #expect(try load(text, secret: "two").changes(from: load(text)) == ["sources.a.auth.token"])
        #expect(try load(text).changes(from: load(text)).isEmpty)
    }

    @Test(
        "so is any file that is read for a key: a signature's secret, a key set, authorities",
        arguments: [
            ("ca_file: f", "", "apps.main.ca_file"),
            ("", "sources: { a: { vendor: appsflyer, app: main, auth: { github: file:f } } }", "sources.a.auth.github"),
            (
                "",
                "profile_tokens: { a: { app: main, jwks: file:f, algorithms: [ES256], audience: p } }",
                "profile_tokens.a.jwks"
            ),
        ])
    func files(_ app: String, _ more: String, _ key: String) throws {
        func load(_ content: String) throws -> Configuration {
            let surroundings = Surroundings(
                environment: { _ in "secret_live_1" }, contents: { _ in Array(content.utf8) }, cores: 2)
            let comma = app.isEmpty ? "" : ", "
            let yaml = "apps: { main: { secret_key: env:KEY\(comma)\(app) } }\n\(more)\n"
            return try Configuration(yaml: yaml, in: surroundings, vendors: ["appsflyer"])
        }
        #expect(try load("two").changes(from: load("one")) == [key])
        #expect(try load("one").changes(from: load("one")).isEmpty)
    }

    @Test("a file that several keys name is read once for all of them")
    func readOnce() throws {
        let reads = Mutex<[String: Int]>([:])
        let surroundings = Surroundings(
            environment: { _ in "secret_live_1" },
            contents: { path in
                // Another secret each time that somebody looks.
                let count = reads.withLock { reads in
                    reads[path, default: 0] += 1
                    return reads[path, default: 0]
                }
                return Array("secret-\(count)".utf8)
            }, cores: 2)
        let sources = ["a", "b"].map { "\($0): { vendor: appsflyer, app: main, auth: { token: file:f, in: path } }" }
        let yaml = Self.minimal + "sources: { \(sources.joined(separator: ", ")) }\n"
        let configuration = try Configuration(yaml: yaml, in: surroundings, vendors: ["appsflyer"])
        #expect(reads.withLock { $0 } == ["f": 1])
        for source in configuration.sources {
            guard case .token(let tokens, .path) = source.auth.proof else {
                Issue.record("no token")
                continue
            }
            #expect(tokens.map { $0.reveal { String(decoding: $0, as: UTF8.self) } } == ["secret-1"])
        }
    }

    @Test("what comes and what goes is told by all of its keys")
    func comesAndGoes() throws {
        let (with, without) = (try load(Self.source + Self.minimal), try load(Self.minimal))
        #expect(with.changes(from: without).contains("sources.a.vendor"))
        #expect(with.changes(from: without) == without.changes(from: with))
    }
}
