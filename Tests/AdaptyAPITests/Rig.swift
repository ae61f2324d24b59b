import EventLoop
import Relay

@testable import AdaptyAPI

/// An upstream with a script, loops, and the code under test between them; all ended when the test is.
func withAPI(
    loops count: Int = 1, url: (@Sendable (TestUpstream) -> String)? = nil,
    settings change: (inout AdaptyAPI.Settings) -> Void = { _ in }, _ script: @escaping TestUpstream.Script,
    _ body: (AdaptyAPI, TestUpstream) async throws -> Void
) async throws {
    let upstream = try TestUpstream(script)
    defer { upstream.stop() }
    var settings = AdaptyAPI.Settings(
        upstream: url?(upstream) ?? upstream.url, secretKeys: [Secret("secret_live_abc.def")])
    // Long: what these tests are about never waits, and a busy machine is no failure.
    (settings.connectTimeout, settings.timeout) = (.seconds(60), .seconds(60))
    change(&settings)
    try await withLoops(count) { loops in
        let api = try AdaptyAPI(settings, on: loops)
        do {
            try await body(api, upstream)
        } catch {
            await api.close(grace: .zero)
            throw error
        }
        await api.close(grace: .zero)
    }
}

func withLoops(_ count: Int = 1, _ body: ([EventLoop]) async throws -> Void) async throws {
    let loops = try (0..<count).map { try EventLoop(name: "test-\($0)") }
    for loop in loops { try loop.start() }
    defer { for loop in loops { loop.stop() } }
    try await body(loops)
}

let somebody = user("user-1")

extension IntegrationIdentifiers {
    static let appsflyer = IntegrationIdentifiers([.appsflyerID: "1741933337626-3179568"])
}

/// A reference to a user whose id is known to be good.
func user(_ id: String) -> ProfileReference {
    guard let profile = ProfileReference.customerUserID(id) else { preconditionFailure("bad id in a test: \(id)") }
    return profile
}

extension AdaptyAPI {
    func set(_ profile: ProfileReference = somebody) async -> Attempt {
        await set(.appsflyer, of: profile)
    }
}

/// Waits for what another thread will do, without keeping a thread of the pool from it.
func until(_ condition: () -> Bool) async {
    while !condition() { try? await Task.sleep(for: .milliseconds(1)) }
}
