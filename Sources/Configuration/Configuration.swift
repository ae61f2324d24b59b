package import EventLoop
package import Relay

/// Everything Patchbay is told by its file, checked: whoever holds one can start. `config/patchbay.yaml` shows every
/// key.
///
/// It is made in three steps. `Node` reads YAML and knows lines. `Section` validates: which keys there are, and what
/// kind of value each has. `Surroundings` and the rules at the end of this file bind: secrets to their values, names to
/// what they name. No step stops at its first mistake; all of them are thrown together.
package struct Configuration: Sendable {
    /// Where partners and client apps connect.
    package let listen: SocketAddress
    /// Where they connect with TLS; nil for nowhere.
    package let tls: TLSConfiguration?
    package let admin: AdminConfiguration
    package let outbox: OutboxConfiguration
    package let retention: RetentionConfiguration
    /// Threads that serve connections. Default: one for each core.
    package let loops: Int
    /// Networks whose `Forwarded` and `X-Forwarded-For` are believed. Default: 127.0.0.1/32.
    package let trustedProxies: [Network]
    /// Networks whose connections all begin with a PROXY header, version 1 or 2. Default: none.
    package let proxyProtocol: [Network]
    /// In the order of the file, as are the other lists.
    package let apps: [AppConfiguration]
    package let sources: [SourceConfiguration]
    package let clientKeys: [ClientKeyConfiguration]
    package let profileTokens: [ProfileTokenConfiguration]
    package let vendors: [VendorConfiguration]
    package let limits: LimitsConfiguration
    package let deadlines: DeadlinesConfiguration
    package let drain: DrainConfiguration
    package let log: LogConfiguration

    /// Every key with its value, defaults included. A secret is shown as `<secret>` and where it came from.
    package let effective: String
    /// For each key a number that another value, secrets included, would not have in this process.
    private let values: [String: Int]

    /// Reads a configuration.
    /// - Parameters:
    ///   - surroundings: where secrets are looked up.
    ///   - vendors: the names of the vendors that are built in.
    package init(
        yaml: String, in surroundings: Surroundings = .process, vendors: Set<String>
    ) throws(Mistakes) {
        let root: Node
        do {
            root = try Node(yaml: yaml)
        } catch {
            throw Mistakes([error])
        }
        let reader = Reader()
        self.init(Section(root, reader), in: surroundings.readingOnce, builtIn: vendors)
        guard reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes) }
    }

    /// Reads a configuration file.
    package init(
        contentsOf path: String, in surroundings: Surroundings = .process, vendors: Set<String>
    ) throws(Mistakes) {
        try self.init(yaml: surroundings.text(of: path), in: surroundings, vendors: vendors)
    }
}

extension Configuration {
    /// Reads all there is, whatever is wrong with it: the mistakes are with the reader.
    init(_ root: Section, in surroundings: Surroundings, builtIn: Set<String>) {
        let names = Names(apps: root.names(in: "apps"), vendors: builtIn.union(root.names(in: "vendors")))
        listen = root.value("listen", .address, default: .loopback(8080))
        admin = root.section("admin") { AdminConfiguration($0, in: surroundings) }
        tls = root.section("tls") { TLSConfiguration($0, in: surroundings) }
        outbox = root.value("outbox", .outbox, default: OutboxConfiguration.standard)
        retention = root.section("retention") { RetentionConfiguration($0) }
        loops = root.value("loops", .integer(1...256), default: surroundings.cores)
        trustedProxies = root.list("trusted_proxies", .network, default: Network("127.0.0.1").map { [$0] } ?? [])
        proxyProtocol = root.list("proxy_protocol", .network, default: [])
        apps = root.sections("apps") { AppConfiguration($0, named: $1, in: surroundings) }
        sources = root.sections("sources") { SourceConfiguration($0, named: $1, in: surroundings, names) }
        clientKeys = root.sections("client_keys") { ClientKeyConfiguration($0, named: $1, in: surroundings, names) }
        profileTokens = root.sections("profile_tokens") {
            ProfileTokenConfiguration($0, named: $1, in: surroundings, names)
        }
        vendors = root.sections("vendors") {
            VendorConfiguration($0, named: $1, isBuiltIn: builtIn.contains($1))
        }
        limits = root.section("limits") { LimitsConfiguration($0) }
        deadlines = root.section("deadlines") { DeadlinesConfiguration($0) }
        drain = root.section("drain") { DrainConfiguration($0) }
        log = root.section("log") { LogConfiguration($0) }
        root.finish()
        effective = root.listing
        values = root.values

        if names.apps.isEmpty { root.mistake("apps", "there must be at least one app") }
        // Port 0 is the kernel's choice, never the same twice.
        if listen == admin.listen, listen.port != 0 {
            root.mistake("listen", "the admin pages listen here too; one of them must move")
        }
        if let tls, tls.listen.port != 0, [listen, admin.listen].contains(tls.listen) {
            root.mistake("tls", "something else listens here too; one of them must move")
        }
        for app in apps where app.reassertAfter > retention.applied {
            root.mistake(
                line: root.line(of: "retention"), "retention.applied",
                "this is shorter than reassert_after of apps.\(app.name): it would be forgotten before")
        }
        reportSharedKeys(root)
        reportTokens(root)
    }

    /// A name stands for one caller in logs, metrics and limits; and who must carry a token must be able to get one.
    private func reportTokens(_ root: Section) {
        for issuer in profileTokens where clientKeys.contains(where: { $0.name == issuer.name }) {
            root.mistake(line: issuer.line, "profile_tokens.\(issuer.name)", "a client key has this name too")
        }
        for app in apps where app.requiresProfileToken && !profileTokens.contains(where: { $0.app == app.name }) {
            root.mistake(
                "profile_tokens", "the app \(app.name) requires a profile token, and nothing here issues one for it")
        }
    }

    /// A secret speaks for one client key, and never is the one that only Patchbay may hold.
    private func reportSharedKeys(_ root: Section) {
        var owners: [[UInt8]: String] = [:]
        for app in apps {
            for secret in app.secretKeys { owners[secret.reveal { $0 }] = "apps.\(app.name).secret_key" }
        }
        for client in clientKeys {
            let key = "client_keys.\(client.name).key"
            for secret in client.secrets {
                if let owner = owners.updateValue(key, forKey: secret.reveal { $0 }), owner != key {
                    root.mistake(line: client.line, key, "this is the same secret as \(owner)")
                }
            }
        }
        for issuer in profileTokens {
            guard case .secrets(let secrets) = issuer.keys else { continue }
            for secret in secrets {
                // Two issuers may share one, and be told apart by issuer and audience; an app must not hold it.
                guard let owner = owners[secret.reveal { $0 }] else { continue }
                root.mistake(
                    line: issuer.line, "profile_tokens.\(issuer.name).key", "this is the same secret as \(owner)")
            }
        }
    }
}

extension Configuration {
    /// The keys whose values are not the same, secrets included, in alphabetical order; never the values.
    package func changes(from other: Configuration) -> [String] {
        Set(values.keys).union(other.values.keys).filter { values[$0] != other.values[$0] }.sorted()
    }
}

/// What other sections may refer to. A name counts although its section has mistakes: one cause, one sentence.
struct Names {
    let apps: Set<String>
    let vendors: Set<String>
}
