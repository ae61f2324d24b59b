package import Relay

/// `limits`: how much may come in. A rate is `1000/s`, `40000/min` or `5/h`, may have a burst, `20/s burst 100`, and is
/// nil for `none`. Of sizes, `k`, `m`, `g`, `KiB`, `MiB` and `GiB` are powers of 1024.
package struct LimitsConfiguration: Sendable, Equatable {
    /// Webhooks of one source. Default: 1000/s.
    package let source: Rate?
    /// Requests with one client key. Default: 200/s.
    package let clientKey: Rate?
    /// Requests of client apps from one address, or one IPv6 /64. Default: 20/s.
    package let clientAddress: Rate?
    /// Requests of client apps about one profile. Default: 5/s.
    package let profile: Rate?
    /// Failures to prove who it is, of one address at one source, or at all client routes; above it 429 without another
    /// look. Default: 60/min burst 100.
    package let failuresPerAddress: Rate?
    /// The longest body of a webhook, as sent and after gzip is undone. Default: 4 MiB, at most 64 MiB.
    package let bodyBytes: Int
    /// The same at client routes, the drop-in path and any other. Default: 256 KiB, at most 64 MiB.
    package let clientBodyBytes: Int
    /// Connections open at once. Default: 20000.
    package let connections: Int
    /// Of those, how many one IPv4 address or one IPv6 /64 may have; nil for `none`. Proxies in `trusted_proxies` and
    /// `proxy_protocol` may have any number. Default: 1000.
    package let connectionsPerAddress: Int?
    /// Bodies held in memory at once. Default: 64 MiB.
    package let bytesInFlight: Int

    init(_ section: Section) {
        source = section.value("source", .limit, default: Rate("1000/s"))
        clientKey = section.value("client_key", .limit, default: Rate("200/s"))
        clientAddress = section.value("client_ip", .limit, default: Rate("20/s"))
        profile = section.value("profile", .limit, default: Rate("5/s"))
        failuresPerAddress = section.value("failures_per_ip", .limit, default: Rate("60/min burst 100"))
        bodyBytes = section.value("body_bytes", .size(1024...67_108_864), default: 4 << 20)
        clientBodyBytes = section.value("client_body_bytes", .size(1024...67_108_864), default: 256 << 10)
        connections = section.value("connections", .integer(1...1_000_000), default: 20000)
        connectionsPerAddress = section.value("connections_per_ip", .most(1_000_000), default: 1000)
        bytesInFlight = section.value("bytes_in_flight", .size(1024...68_719_476_736), default: 67_108_864)
        if bytesInFlight < max(bodyBytes, clientBodyBytes) {
            let why = "this must be at least body_bytes and client_body_bytes, or the longest body never comes in"
            section.mistake("bytes_in_flight", why)
        }
    }
}
