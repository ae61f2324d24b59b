import AdaptyAPI
import Authentication
import Configuration
import Delivery
import EventLoop
import Listener
import Logging
import RateLimit
import Relay
import SQLiteOutbox
import Vendors

// From the configuration's words to each stage's own. No stage knows the configuration.

extension Configuration {
    /// The names that `vendors:` adds to, and that sources may use without it.
    static func builtInVendors() throws -> Set<String> {
        Set(try VendorCatalog().vendorNames)
    }

    /// Built-in vendors and those that the configuration declares.
    /// - Throws: the first mistake in a declaration, with its line.
    var catalog: VendorCatalog {
        get throws { try VendorCatalog(extending: vendors.map { VendorDeclaration($0) }) }
    }
}

extension VendorDeclaration {
    fileprivate init(_ vendor: VendorConfiguration) {
        self.init(name: vendor.name)
        for (identifier, places) in vendor.identifiers { identifiers[identifier] = places.map(\.value) }
        customerUserID = vendor.customerUserID.map(\.value)
        profileID = vendor.profileID.map(\.value)
        eventTime = vendor.eventTime.map(\.value)
        batches = vendor.batch.map(\.value)
        meaningless = vendor.nothing.map(\.value)
    }
}

extension GateKeeper {
    /// - Parameter appCheckKeys: by the URL that they are fetched from.
    init(_ configuration: Configuration, _ issuers: [TokenIssuer], _ appCheckKeys: [String: TokenKeys]) {
        var schemes: [String: any Scheme] = [:]
        for source in configuration.sources { schemes[source.name] = source.auth.scheme }
        let keys = configuration.clientKeys.map { key in
            (
                client: ClientKey(
                    name: key.name, app: key.app, scopes: key.scopes, isEnabled: key.isEnabled,
                    origins: Origins(key.origins)),
                secrets: key.secrets
            )
        }
        var appChecks: [String: AppCheck] = [:]
        for key in configuration.clientKeys {
            guard let settings = key.appCheck, let keys = appCheckKeys[settings.keySetURL] else { continue }
            appChecks[key.name] = AppCheck(project: settings.project, keys: keys)
        }
        let tokenApps = configuration.apps.filter(\.requiresProfileToken).map(\.name)
        self.init(
            schemes: schemes,
            clientKeys: ClientKeys(
                keys, tokens: issuers.isEmpty ? nil : ProfileTokens(issuers), tokenApps: Set(tokenApps),
                appChecks: appChecks))
    }
}

extension AuthConfiguration {
    fileprivate var scheme: any Scheme {
        let proof: (any Scheme)? =
            switch proof {
            case .none: nil
            case .token(let tokens, .query(let name)): TokenScheme(tokens, in: .query(name))
            case .token(let tokens, .path): TokenScheme(tokens, in: .path)
            case .token(let tokens, .header(let name, let prefix)):
                TokenScheme(tokens, in: .header(name, prefix: prefix))
            case .basic(let credentials): BasicScheme(credentials)
            case .signature(let template, let keys): SignatureScheme(template, keys: keys)
            }
        guard let addresses else { return proof ?? Anybody() }
        return AddressScheme(addresses, and: proof)
    }
}

extension Source {
    convenience init(_ source: SourceConfiguration, answered: AnsweredMessages) {
        let hasTokenInPath = if case .token(_, .path) = source.auth.proof { true } else { false }
        self.init(
            name: source.name, vendor: source.vendor, app: source.app, hasTokenInPath: hasTokenInPath,
            isEnabled: source.isEnabled, origins: Origins(source.origins), answered: answered)
    }
}

extension Configuration {
    /// The web pages that may use any client key, or any issuer's tokens.
    var clientOrigins: Origins { Origins(clientKeys.flatMap(\.origins) + profileTokens.flatMap(\.origins)) }

    /// Where each source's credential is expected, in words, for whoever wonders why it is refused.
    var credentialPlaces: [String: String] {
        var places: [String: String] = [:]
        for source in sources { places[source.name] = source.auth.proof.place }
        return places
    }
}

extension AuthConfiguration.Proof {
    /// Nil where nothing is expected.
    fileprivate var place: String? {
        switch self {
        case .none: nil
        case .token(_, .query(let name)): "the parameter \(name) of the URL"
        case .token(_, .path): "the token at the end of the URL's path"
        case .token(_, .header(let name, let prefix)):
            "the header \(name)" + (prefix.isEmpty ? "" : ", with \(prefix)before the token,")
        case .basic: "Basic authentication, user and password,"
        case .signature(let template, _): "the signature in the header \(template.header)"
        }
    }
}

extension Limits {
    init(_ limits: LimitsConfiguration) {
        self.init(
            source: limits.source, clientKey: limits.clientKey, clientAddress: limits.clientAddress,
            profile: limits.profile, failures: limits.failuresPerAddress)
    }
}

extension AdaptyAPI.Settings {
    init(_ app: AppConfiguration) {
        self.init(upstream: app.upstream, version: app.api, secretKeys: app.secretKeys)
        connectTimeout = app.connectTimeout
        timeout = app.timeout
        connections = app.concurrency
        authorities = app.authorities?.bytes
    }
}

extension DeliveryPolicy {
    init(_ app: AppConfiguration) {
        self.init()
        interval = app.rate.interval
        burst = app.rate.burst
        concurrency = app.concurrency
        profileWait = app.profileWait
        giveUpAfter = app.giveUpAfter
        settleAfter = app.settleAfter
    }
}

extension OutboxSettings {
    init(_ configuration: Configuration) {
        self.init()
        for app in configuration.apps {
            reassertAfter[app.name] = app.reassertAfter
            settleAfter[app.name] = app.settleAfter
        }
        keep(configuration.retention)
    }

    /// For a person who changes something while no node runs: by the node's own rules, and nothing is forgotten.
    init(_ location: OutboxLocation) {
        self.init()
        for (name, app) in location.apps {
            reassertAfter[name] = app.reassertAfter
            settleAfter[name] = app.settleAfter
        }
        keep(location.retention)
        forgets = false
    }

    private mutating func keep(_ retention: RetentionConfiguration) {
        keepApplied = retention.applied
        keepDeadLetters = retention.deadLetters
        mostFileBytes = retention.fileBytes
        mostRemembered = retention.profilesInMemory
    }
}

extension ListenerLimits {
    init(_ configuration: Configuration) {
        self.init()
        trustedProxies = configuration.trustedProxies
        proxyProtocol = configuration.proxyProtocol
        request.bodyBytes = configuration.limits.bodyBytes
        request.shortBodyBytes = configuration.limits.clientBodyBytes
        headDeadline = configuration.deadlines.headers
        bodyDeadline = configuration.deadlines.body
        idleDeadline = configuration.deadlines.idle
        writeDeadline = configuration.deadlines.write
    }
}

extension Logger.Level {
    init(_ level: LogConfiguration.Level) {
        self = Logger.Level(rawValue: level.rawValue) ?? .info
    }
}
