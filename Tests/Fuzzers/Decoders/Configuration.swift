import Configuration
import Foundation
import Relay

extension Fuzzer {
    /// Any text as a configuration: it is one, or every mistake has its sentence; and no secret is ever shown.
    static let configuration = Fuzzer(
        name: "Configuration", mostBytes: 4096,
        words: [
            "apps:", "sources:", "client_keys:", "vendors:", "limits:", "auth:", "env:KEY", "file:k", "secret_key:",
            "&a ", "*a", "<<: ", "!!binary ", "? ", "- ", "'", "\"\\0\"", "|\n", "1000/s burst 9", "99999999999h",
            "listen: ", "[::1]:0", "10.0.0.0/33", "trusted_proxies: [", "upstream: http://a", "~1", "\u{feff}",
        ],
        seeds: { repository in
            let sample = try repository.file("config/patchbay.yaml")
            let sections = String(decoding: sample, as: UTF8.self).components(separatedBy: "\n\n")
            return [sample] + sections.map { Array($0.utf8) }
                + [
                    "apps: { m: { secret_key: env:KEY } }\nsources: { a: { vendor: appsflyer, app: m, auth: none } }",
                    "apps: &a { b: *a }", "a: [b, {c: d}]\n---\ne",
                    "apps:\n  main:\n    secret_key: [env:KEY, file:k]\n",
                ].map { Array($0.utf8) }
        },
        run: { input in
            // A file that is no UTF-8 never comes so far.
            let text = input.text
            guard !text.contains(canary) else { return }
            do throws(Mistakes) {
                let configuration = try Configuration(
                    yaml: text, in: surroundings, vendors: ["appsflyer", "mixpanel", "tenjin"])
                claim(!configuration.effective.contains(canary), "a secret is shown")
                claim((1...256).contains(configuration.loops), "\(configuration.loops) loops")
                claim(!configuration.apps.isEmpty, "no app")
                for app in configuration.apps { claim(!app.secretKeys.isEmpty, "an app without a key") }
            } catch {
                claim(!error.all.isEmpty, "refused without a mistake")
                let lines = text.unicodeScalars.count { "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 1
                for mistake in error.all {
                    claim(!mistake.sentence.isEmpty && (1...lines + 1).contains(mistake.line ?? 1), "\(mistake)")
                    claim(!mistake.description.contains(canary), "a secret is shown")
                }
            }
        })

    private static let canary = "c4n4ry"

    private static let surroundings = Surroundings(
        environment: { $0 == "KEY" ? "secret_live_\(canary)" : $0.hasPrefix("P") ? "\(canary):\($0)" : nil },
        contents: { path throws(Surroundings.Unreadable) in
            guard path == "k" else { throw Surroundings.Unreadable("open: 2 No such file or directory") }
            return Array("\(canary)\n".utf8)
        }, cores: 3)
}
