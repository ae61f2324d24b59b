import ArgumentParser
import Configuration

/// Says what a configuration comes to, or what is wrong with it.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks a configuration: every mistake with its line, or what is in effect.",
        discussion: """
            Example:
              patchbay check --config config/patchbay.yaml

            Prints every key with its value, defaults included and secrets masked. Exits 78 when something is wrong.
            """)

    @Option(help: "The configuration file.")
    var config = "config/patchbay.yaml"

    func run() async throws {
        print(try loadConfiguration(config, warn: { printError($0) }).configuration.effective)
    }
}
