import AdaptyAPI
import Authentication
import Configuration
import EventLoop
import Logging
import Relay
import ServiceLifecycle
import Synchronization

extension TokenIssuer {
    init(_ settings: ProfileTokenConfiguration, _ keys: TokenKeys) {
        self.init(
            name: settings.name, app: settings.app, scopes: settings.scopes,
            algorithms: Set(settings.algorithms.map { TokenAlgorithm($0) }), issuer: settings.issuer,
            audience: Set(settings.audience), keys: keys)
        customerUserID = settings.customerUserID
        profileID = settings.profileID
        leeway = settings.leeway
        origins = Origins(settings.origins)
    }
}

extension TokenAlgorithm {
    fileprivate init(_ algorithm: ProfileTokenConfiguration.Algorithm) {
        self =
            switch algorithm {
            case .hs256: .hs256
            case .rs256: .rs256
            case .es256: .es256
            case .edDSA: .edDSA
            }
    }
}

extension ProfileTokenConfiguration {
    /// What is wrong with a key, with its line; as the configuration would say it, which cannot read keys.
    struct KeyMistake: Error, CustomStringConvertible {
        let description: String
    }

    /// The keys that the configuration itself holds; nil where they are published elsewhere.
    func readKeys() throws(KeyMistake) -> [(id: String?, key: VerificationKey)]? {
        let wanted = Set(algorithms.map { TokenAlgorithm($0) })
        switch keys {
        case .secrets(let secrets):
            return secrets.compactMap { VerificationKey(secret: $0) }.map { (nil, $0) }
        case .pems(let pems):
            var keys: [(id: String?, key: VerificationKey)] = []
            for pem in pems {
                guard let key = VerificationKey(pem: pem.value) else {
                    throw mistake("key", pem.line, "this is no RSA (2048 bits or more), P-256 or Ed25519 public key")
                }
                guard wanted.contains(key.algorithm) else {
                    throw mistake(
                        "key", pem.line, "this is a key for \(key.algorithm.rawValue), which algorithms does not list")
                }
                keys.append((nil, key))
            }
            return keys
        case .keySet(let bytes):
            do {
                return try KeySet(json: bytes, for: wanted).keys
            } catch {
                throw mistake("jwks", line, "this file cannot be used: \(error)")
            }
        case .published:
            return nil
        }
    }

    private func mistake(_ key: String, _ line: Int, _ sentence: String) -> KeyMistake {
        KeyMistake(description: "line \(line): profile_tokens.\(name).\(key): \(sentence)")
    }
}

/// Fetches one issuer's published keys.
struct KeyRefresh: Sendable {
    private let keys: TokenKeys
    private let name: String
    private let algorithms: Set<TokenAlgorithm>
    private let get: BoundedGet
    private let logger: Logger

    init(of issuer: TokenIssuer, from url: String, on loop: EventLoop, logger: Logger) throws {
        try self.init(
            issuer.keys, of: issuer.name, for: issuer.algorithms, from: url, on: loop, logger: logger)
    }

    /// - Parameter name: the issuer's, for the log.
    init(
        _ keys: TokenKeys, of name: String, for algorithms: Set<TokenAlgorithm>, from url: String,
        on loop: EventLoop, logger: Logger
    ) throws {
        self.keys = keys
        self.name = name
        self.algorithms = algorithms
        self.logger = logger
        get = try BoundedGet(
            url, accept: "application/jwk-set+json, application/json", mostBytes: KeySet.mostBytes,
            timeout: .seconds(5), on: loop)
    }

    /// Looks once a second whether it is time, which costs less than a bell that a request could ring.
    func run(_ clock: LoopClock) async {
        while !Task.isCancelled {
            if keys.isDue(at: clock.now) { await fetch(clock) }
            try? await clock.sleep(for: .seconds(1))
        }
        await get.close()
    }

    /// What cannot be fetched or used changes nothing: the last good keys stay, as long as they may.
    private func fetch(_ clock: LoopClock) async {
        do {
            let fetched = try KeySet(json: try await get(), for: algorithms)
            try await keys.replace(fetched, at: clock.now)
            logger.debug("token keys", metadata: ["issuer": "\(name)", "keys": "\(fetched.keys.count)"])
        } catch {
            keys.keep(at: clock.now)
            guard !Task.isCancelled else { return }
            logger.warning("token keys not fetched", metadata: ["issuer": "\(name)", "error": "\(error)"])
        }
    }
}

/// Keeps published keys fresh. What listens does not wait for them: the node serves everybody else meanwhile.
final class KeyService: Service {
    private struct State {
        var refreshes: [Task<Void, Never>] = []
        /// Nothing is begun any more: nobody would wait for its end.
        var isStopping = false
    }

    private let state = Mutex(State())
    private let clock: LoopClock

    init(_ refreshes: [KeyRefresh], clock: LoopClock) {
        self.clock = clock
        replace(with: refreshes)
    }

    /// Others from now on.
    func replace(with refreshes: [KeyRefresh]) {
        let old = state.withLock { state -> [Task<Void, Never>] in
            guard !state.isStopping else { return [] }
            let tasks = refreshes.map { refresh in Task { [clock] in await refresh.run(clock) } }
            return exchange(&state.refreshes, with: tasks)
        }
        for task in old { task.cancel() }
    }

    func run() async throws {
        try? await gracefulShutdown()
        let last = state.withLock { state in
            state.isStopping = true
            return exchange(&state.refreshes, with: [])
        }
        for task in last {
            task.cancel()
            await task.value
        }
    }
}
