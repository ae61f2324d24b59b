// swift-tools-version: 6.2
import PackageDescription

/// The archive of libFuzzer, where fuzzers are to be built: see `Tests/Fuzzers/run.sh`. They need every target
/// instrumented, and optimised to be of use; nothing else does.
let libFuzzer = Context.environment["PATCHBAY_FUZZ"]

/// Whether the micro-benchmarks are to be built: see `Tests/Benchmarks/stages.sh`. No ordinary build pays for them.
let hasStages = Context.environment["PATCHBAY_STAGES"] != nil

/// What every Swift target of this package is built with: Swift 6, no warning let through, imports that say who sees
/// them.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// What the parts of the relay are built with.
let instrumented = strict + (libFuzzer == nil ? [] : [.unsafeFlags(["-O", "-sanitize=fuzzer,address"])])

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A stage of the relay: imports the spine and what it names, never a sibling.
func stage(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: instrumented)
}

/// - Parameter exclude: what tests read from where it stands, not from a bundle.
func tests(
    of name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + dependencies, exclude: exclude,
        resources: resources, swiftSettings: strict)
}

let package = Package(
    name: "patchbay",
    products: [.executable(name: "patchbay", targets: ["patchbay"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        .systemLibrary(name: "CEvent", pkgConfig: "libevent_core", providers: [.apt(["libevent-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CTLS", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "CSimdjson",
            cxxSettings: libFuzzer == nil ? [] : [.unsafeFlags(["-O1", "-fsanitize=fuzzer-no-link,address"])],
            linkerSettings: [.linkedLibrary("simdjson")]),

        stage("Relay", [logging, metrics]),
        stage("EventLoop", ["CEvent"]),
        stage("TLS", ["EventLoop", "CTLS"]),
        stage("Listener", ["Relay", "EventLoop", "TLS", "CZlib"]),
        stage("Authentication", ["Relay", crypto, jwt]),
        stage("RateLimit", ["Relay"]),
        stage("Vendors", ["Relay", "CSimdjson"]),
        stage("SQLiteOutbox", ["Relay", grdb, grdbSQLite, collections, heap, metrics]),
        stage("Delivery", ["Relay", collections]),
        stage("AdaptyAPI", ["Relay", "EventLoop", "CCurl"]),
        stage("Admin", ["Relay", coreMetrics]),
        stage("Sandbox", ["Relay"]),
        stage("Configuration", ["Relay", "EventLoop", yams]),
        .executableTarget(
            name: "patchbay",
            dependencies: [
                "Relay", "EventLoop", "TLS", "Listener", "Authentication", "RateLimit", "Vendors", "SQLiteOutbox",
                "Delivery", "AdaptyAPI", "Admin", "Sandbox", "Configuration", argumentParser, crypto, lifecycle,
                signals,
                logging, metrics,
            ],
            swiftSettings: strict,
            // In malloc's place: the loop allocates what the outbox's thread frees, and glibc's arenas took a fifth of
            // what a new event costs.
            linkerSettings: [.linkedLibrary("mimalloc")]),

        .target(name: "TestCertificates", path: "Tests/TestCertificates", swiftSettings: strict),
        tests(of: "Relay", []),
        tests(of: "EventLoop", []),
        tests(of: "TLS", ["TestCertificates"]),
        tests(
            of: "Listener", ["Relay", "EventLoop", "TLS", "CTLS", "CZlib", "TestCertificates"],
            exclude: ["Corpus", "run_corpus.py"]),
        tests(of: "Authentication", ["Relay", jwt, cryptoExtras]),
        tests(of: "RateLimit", ["Relay"]),
        tests(of: "Vendors", ["Relay"], resources: [.copy("Fixtures")]),
        tests(of: "SQLiteOutbox", ["Relay", grdb]),
        tests(of: "Delivery", ["Relay", "EventLoop"]),
        tests(of: "AdaptyAPI", ["Relay", "EventLoop", "CCurl"]),
        tests(of: "Admin", ["Relay", coreMetrics]),
        tests(of: "Sandbox", ["Relay"]),
        tests(of: "Configuration", ["Relay", "EventLoop"]),
        tests(of: "patchbay", [crypto, jwt, "TestCertificates"], exclude: ["Samples"]),
    ],
    cxxLanguageStandard: .cxx17
)

if let libFuzzer {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzzers/CFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzzer", "CSimdjson", "CZlib", "Relay", "EventLoop", "Listener", "Authentication", "Vendors",
                "SQLiteOutbox", "AdaptyAPI", "Configuration", crypto,
            ],
            path: "Tests/Fuzzers", exclude: ["CFuzzer", "run.sh"],
            swiftSettings: strict + [.unsafeFlags(["-O"])],
            linkerSettings: [.unsafeFlags(["-sanitize=address", libFuzzer]), .linkedLibrary("stdc++")]),
    ]
}

if hasStages {
    package.targets.append(
        .executableTarget(
            name: "Stages",
            dependencies: [
                "Relay", "Listener", "Authentication", "RateLimit", "Vendors", "SQLiteOutbox", "Admin", coreMetrics,
                logging,
            ],
            path: "Tests/Benchmarks/Stages", swiftSettings: strict))
}
