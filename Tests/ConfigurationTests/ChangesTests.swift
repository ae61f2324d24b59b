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

    @Test("what comes and what goes is told by all of its keys")
    func comesAndGoes() throws {
        let (with, without) = (try load(Self.source + Self.minimal), try load(Self.minimal))
        #expect(with.changes(from: without).contains("sources.a.vendor"))
        #expect(with.changes(from: without) == without.changes(from: with))
    }
}
