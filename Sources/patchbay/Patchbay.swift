import ArgumentParser
import Glibc

@main
struct Patchbay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patchbay",
        abstract: "A webhook relay: vendors' webhooks in, integration identifiers out to Adapty.",
        discussion: """
            Example:
              patchbay demo                                  see it work, nothing to set up
              patchbay check --config config/patchbay.yaml   is the configuration right?
              patchbay serve --config config/patchbay.yaml   run a node
            """,
        version: "patchbay 0.1.0",
        subcommands: [
            Serve.self, Check.self, OutboxCommand.self, Rejected.self, Normalize.self, SandboxCommand.self, Demo.self,
        ])
}

/// Exit codes with a meaning of their own. Source: sysexits.h.
extension ExitCode {
    /// What was given cannot be read.
    static let dataError = ExitCode(65)
    /// A file that was named cannot be read (sysexits.h).
    static let noInput = ExitCode(66)
    /// Nothing to do: nothing of that kind is there.
    static let nothingMatched = ExitCode(1)
    /// The command was given in a way that it does not do.
    static let usage = ExitCode(64)
    /// The disk does not keep what it is given.
    static let inputOutput = ExitCode(74)
    /// The configuration is wrong.
    static let configuration = ExitCode(78)
}

/// A line that is out when this returns: `print` would keep it where standard output is a pipe.
func printNow(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
    let line = text + "\n"
    _ = line.withCString { write(descriptor, $0, strlen($0)) }
}

/// Standard error, for what is meant for a person.
func printError(_ text: String) {
    printNow(text, to: STDERR_FILENO)
}
