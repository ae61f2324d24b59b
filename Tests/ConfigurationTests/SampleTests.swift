import Glibc
import Relay
import Testing

@testable import Configuration

/// `config/patchbay.yaml` is the reference that people read: it must load, and show every key and nothing else.
struct SampleTests {
    private static let path = "config/patchbay.yaml"
    private static let builtIn: Set<String> = ["appsflyer", "onesignal", "mixpanel", "adjust", "posthog"]

    /// Those that must look like what they are.
    private static let secrets = [
        "MIXPANEL_BASIC": "user:password", "POSTHOG_SECRET": "whsec_c2VjcmV0",
        "POSTHOG_PUBLIC_KEY": "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", "SVIX_SECRET": "whsec_c2VjcmV0",
        "OWN_PUBLIC_KEY": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
    ]

    private let surroundings: Surroundings
    private let text: String

    init() throws {
        // Tests run in the package's folder; the file is found from here too if they do not.
        let package = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let bytes = try Surroundings.process.contents(package.joined(separator: "/") + "/" + Self.path)
        text = String(decoding: bytes, as: UTF8.self)
        surroundings = Surroundings(
            environment: { Self.secrets[$0] ?? "value of \($0)" },
            contents: { _ throws(Surroundings.Unreadable) in [] }, cores: 4)
    }

    @Test("the sample file is a configuration")
    func loads() throws {
        let configuration = try Configuration(yaml: text, in: surroundings, vendors: Self.builtIn)
        #expect(configuration.apps.map(\.name) == ["main"])
        #expect(configuration.sources.count == 13)
        #expect(configuration.clientKeys.map(\.name) == ["ios"])
        #expect(configuration.profileTokens.map(\.name) == ["backend", "idp"])
        #expect(configuration.vendors.map(\.name) == ["acme"])
    }

    @Test("the sample shows the defaults")
    func defaults() throws {
        let sample = try Configuration(yaml: text, in: surroundings, vendors: Self.builtIn)
        let minimal = try Configuration(
            yaml: "apps: { main: { secret_key: env:ADAPTY_SECRET_KEY } }", in: surroundings, vendors: Self.builtIn)
        func lines(_ configuration: Configuration) -> [String: String] {
            let lines = configuration.effective.split(separator: "\n").map { line in
                let text = line.hasSuffix("  # default") ? line.dropLast("  # default".count) : line
                return (String(line.prefix { $0 != ":" }), String(text))
            }
            return Dictionary(lines) { first, _ in first }
        }
        let shown = lines(sample)
        for (key, line) in lines(minimal) where !line.hasSuffix("{}") {
            // These have no default that could be shown: a token is needed only off loopback, `ca_file` is the
            // system's, and there is no TLS.
            if ["  token", "    ca_file", "  certificate", "  key", "  client_ca"].contains(key) { continue }
            #expect(shown[key] == line)
        }
    }

    @Test("every key that is read is in the sample, and every key in the sample is read")
    func keys() throws {
        let root = try Node(yaml: text)
        let reader = Reader()
        _ = Configuration(Section(root, reader), in: surroundings, builtIn: Self.builtIn)
        #expect(reader.mistakes == [])
        #expect(reader.askedKeys.sorted() == keys(in: root, at: []).sorted())
    }

    @Test("every key in the sample has a comment where it stands first, or its section has")
    func comments() throws {
        var seen: Set<Substring> = []
        for line in text.split(separator: "\n") where !line.trimmingBlanks.hasPrefix("#") {
            let key = line.drop { $0 == " " }.prefix { $0 != ":" }
            let isName =
                line.hasSuffix(":")
                && [
                    "main", "appsflyer", "onesignal", "mixpanel", "adjust", "posthog", "own_server", "own_function",
                    "acme", "ios",
                ].contains(key)
            if isName || !seen.insert(key).inserted { continue }
            if ["per_minute", "appsflyer_id", "log"].contains(key) { continue }
            #expect(line.contains("# "), "\(key)")
        }
    }

    /// All keys of a tree, with names replaced as the reader does.
    private func keys(in node: Node, at path: [String]) -> Set<String> {
        guard case .mapping(let entries) = node.content else { return [] }
        var keys: Set<String> = []
        for entry in entries {
            var name = entry.key
            if ["apps", "sources", "client_keys", "profile_tokens", "vendors"].contains(path.last), path.count == 1 {
                name = "NAME"
            }
            if path.last == "identifiers" { name = "FIELD" }
            let below = path + [name]
            if name != "NAME" { keys.insert(below.joined(separator: ".")) }
            keys.formUnion(self.keys(in: entry.value, at: below))
        }
        return keys
    }
}

struct ProcessTests {
    @Test("a configuration file is read from disk, with secrets from the environment and from files")
    func file() throws {
        let folder = "/tmp/patchbay-configuration-\(UniqueID.v7(at: .now))"
        #expect(mkdir(folder, 0o700) == 0)
        defer {
            unlink(folder + "/key")
            unlink(folder + "/patchbay.yaml")
            rmdir(folder)
        }
        write("from-file\n", to: folder + "/key")
        write("apps: { main: { secret_key: file:\(folder)/key } }\n", to: folder + "/patchbay.yaml")
        let configuration = try Configuration(contentsOf: folder + "/patchbay.yaml", vendors: [])
        #expect(configuration.apps[0].secretKeys[0].reveal { $0 } == Array("from-file".utf8))
        #expect(configuration.loops >= 1)
        #expect(Surroundings.process.environment("PATH") != nil)
        #expect(Surroundings.process.environment("PATCHBAY_NO_SUCH_VARIABLE") == nil)
    }

    @Test("a file that cannot be read is one mistake, without a line")
    func unreadable() throws {
        let missing = try #require(
            #expect(throws: Mistakes.self) { try Configuration(contentsOf: "/no/patchbay.yaml", vendors: []) })
        #expect(missing.description == "the file /no/patchbay.yaml cannot be read: open: 2 No such file or directory")
        let folder = try #require(#expect(throws: Mistakes.self) { try Configuration(contentsOf: "/tmp", vendors: []) })
        #expect(folder.description == "the file /tmp cannot be read: read: 21 Is a directory")
        let device = try #require(
            #expect(throws: Mistakes.self) { try Configuration(contentsOf: "/dev/zero", vendors: []) })
        #expect(device.description == "the file /dev/zero cannot be read: read: 27 File too large")
    }

    @Test("bytes that are not UTF-8 are no configuration")
    func encoding() throws {
        var surroundings = Surroundings.fake()
        surroundings.contents = { _ throws(Surroundings.Unreadable) in [0x61, 0xff] }
        let mistakes = try #require(
            #expect(throws: Mistakes.self) {
                try Configuration(contentsOf: "patchbay.yaml", in: surroundings, vendors: [])
            })
        #expect(mistakes.description == "the file patchbay.yaml is not UTF-8")
    }

    private func write(_ text: String, to path: String) {
        guard let file = fopen(path, "w") else { return }
        fputs(text, file)
        fclose(file)
    }
}
