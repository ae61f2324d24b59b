import Relay
import Testing

@testable import Configuration

extension Surroundings {
    /// Every secret of the tests has this in it; it must not be seen anywhere.
    static let canary = "canary7f3a"

    /// Variables and files that exist only here.
    static func fake(_ variables: [String: String] = [:], files: [String: String] = [:]) -> Surroundings {
        let variables = variables.merging(
            [
                "KEY": "secret_live_\(canary)1", "TOKEN": "\(canary)2", "BASIC": "user:\(canary)3",
                "CLIENT": "\(canary)4", "OTHER": "\(canary)5", "PUBLIC": "public_live_\(canary)6", "EMPTY": "",
                "BLANK": " \t",
            ]
        ) { mine, _ in mine }
        return Surroundings(
            environment: { variables[$0] },
            contents: { path throws(Unreadable) in
                guard let text = files[path] else { throw Unreadable("open: 2 No such file or directory") }
                return Array(text.utf8)
            },
            cores: 3)
    }
}

/// The least that is a configuration.
let minimal = """
    apps:
      main:
        secret_key: env:KEY

    """

func load(_ yaml: String, in surroundings: Surroundings = .fake()) throws(Mistakes) -> Configuration {
    try Configuration(yaml: yaml, in: surroundings, vendors: ["appsflyer", "onesignal", "mixpanel", "amplitude"])
}

/// What is wrong with a text, one line each; empty where nothing is.
func mistakes(in yaml: String, _ surroundings: Surroundings = .fake()) -> [String] {
    do throws(Mistakes) {
        _ = try load(yaml, in: surroundings)
        return []
    } catch {
        return error.all.map(\.description)
    }
}
