package import Relay

/// `apps.NAME`: one Adapty app.
package struct AppConfiguration: Sendable {
    package let name: String
    /// Where its API is; https unless on loopback. Default: https://api.adapty.io.
    package let upstream: String
    /// Which shape of the API it is spoken to in. Default: v2.
    package let api: APIVersion
    /// What authorizes a request to Adapty; required. The first is used, and the next where Adapty refuses it.
    package let secretKeys: [Secret]
    /// How fast Adapty is asked. Default: 40000 a minute, at most 100 at once.
    package let rate: Rate
    /// Requests in flight at once, 1 to 1024. Default: 64.
    package let concurrency: Int
    /// For a connection with TLS to be there. Default: 3s.
    package let connectTimeout: Duration
    /// For a whole attempt. Default: 15s.
    package let timeout: Duration
    /// Certificates to trust instead of the system's, in PEM: the file as it is when the configuration is read.
    /// Default: none.
    package let authorities: FoundFile?
    /// How long a profile that Adapty does not know is waited for. Default: 72h.
    package let profileWait: Duration
    /// How long a failing delivery is tried again. Default: 72h.
    package let giveUpAfter: Duration
    /// How long Adapty may still take an attempt that got no answer: then what is newest is sent once more.
    /// Default: 60s.
    package let settleAfter: Duration
    /// How long values that were applied are not sent again. Default: 24h.
    package let reassertAfter: Duration
    /// Whether client apps must carry a profile token, and client keys of this app are refused. Default: false.
    package let requiresProfileToken: Bool
    /// False: what comes is kept, nothing is delivered. Default: true.
    package let isEnabled: Bool

    init(_ section: Section, named name: String, in surroundings: Surroundings) {
        self.name = name
        upstream = section.value("upstream", .upstream, default: "https://api.adapty.io")
        api = section.value("api", .choice, default: .v2)
        secretKeys = section.requiredList("secret_key", .secret(in: surroundings)).map(\.secret)
        rate = section.section("rate", Self.rate)
        concurrency = section.value("concurrency", .integer(1...1024), default: 64)
        connectTimeout = section.value("connect_timeout", .duration, default: .seconds(3))
        timeout = section.value("timeout", .duration, default: .seconds(15))
        authorities = section.optional("ca_file", .file(in: surroundings))
        profileWait = section.value("profile_wait", .duration, default: .seconds(72 * 3600))
        giveUpAfter = section.value("give_up_after", .duration, default: .seconds(72 * 3600))
        settleAfter = Self.settleAfter(section)
        reassertAfter = Self.reassertAfter(section)
        requiresProfileToken = section.value("require_profile_token", .flag, default: false)
        isEnabled = section.value("enabled", .flag, default: true)

        // The v1 page of the API asks for the public key; v2 refuses it, and every delivery would fail.
        if api != .v1, secretKeys.contains(where: { $0.hasPrefix("public_live_") }) {
            section.mistake("secret_key", "this is a public key; api: \(api) needs the secret one")
        }
    }

    static func settleAfter(_ section: Section) -> Duration {
        section.value("settle_after", .duration, default: .seconds(60))
    }

    static func reassertAfter(_ section: Section) -> Duration {
        section.value("reassert_after", .duration, default: .seconds(24 * 3600))
    }

    private static func rate(_ section: Section) -> Rate {
        let perMinute = section.value("per_minute", .integer(1...60_000_000), default: 40000)
        let burst = section.value("burst", .integer(1...1_000_000), default: 100)
        guard let rate = Rate(count: perMinute, per: .seconds(60), burst: burst) else {
            preconditionFailure("the ranges above are within what a rate can be")
        }
        return rate
    }
}
