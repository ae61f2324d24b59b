import Admin
import ArgumentParser
import Glibc
import Relay

struct OutboxReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Dead letters wait again, and what is to be tried later is due now.",
        discussion: """
            Example:
              patchbay outbox replay --state dead --error validation_error
              patchbay outbox replay --app main --yes

            Counts and asks first. A dead letter whose values are known newer by now has nothing to replay, and goes. \
            Exit 1 where nothing matches, 64 where nobody can be asked and --yes is missing.
            """)

    @OptionGroup var options: AdminOptions
    @OptionGroup var filter: OutboxFilterOptions

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        let change = OutboxChange(
            change: .replay, query: try filter.query, states: try filter.states, isSure: yes,
            question: "Try these again now?", done: "replayed")
        try await withOutbox(options) { try await change.run(on: $0) }
    }
}

struct OutboxDiscard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Forgets what is undelivered. Whoever sent it was promised its delivery.",
        discussion: """
            Example:
              patchbay outbox discard --state dead --older-than 7d
              patchbay outbox discard --profile usr_1

            Counts and asks first. Needs a filter, or --all. What is in flight is left alone. Exit 1 where nothing \
            matches, 64 where nobody can be asked and --yes is missing.
            """)

    @OptionGroup var options: AdminOptions
    @OptionGroup var filter: OutboxFilterOptions

    @Flag(help: "Everything undelivered, dead letters included.")
    var all = false

    @Flag(help: "Do not ask.")
    var yes = false

    func run() async throws {
        let query = try filter.query
        guard all == (query.isEmpty && filter.state.isEmpty) else {
            throw ValidationError("Say which, or --all for everything; not both.")
        }
        let change = OutboxChange(
            change: .discard, query: query, states: try filter.states, isSure: yes,
            question: "Forget these? Whoever sent them was promised that they reach Adapty; that promise is broken.",
            done: "discarded")
        try await withOutbox(options) { try await change.run(on: $0) }
    }
}

/// Counts, asks, changes step by step, and says how far it is.
struct OutboxChange: Sendable {
    let change: DeskChange
    let query: OutboxQuery
    let states: Set<DeskState>
    let isSure: Bool
    let question: String
    let done: String

    func run(on outbox: OutboxLink) async throws {
        var query = query
        let changeable = states.isEmpty ? change.states : states.intersection(change.states)
        query.add(changeable)
        var count = query
        count.add("limit", "0")
        let counts = FlatJSON(try await outbox.ask(.survey, count))
        let total = (counts.number("undelivered") ?? 0) + (counts.number("dead_letters") ?? 0)
        guard total > 0, !changeable.isEmpty else {
            printError("Nothing of that kind is there.")
            throw ExitCode.nothingMatched
        }
        count.add("text")
        printError(String(try await outbox.ask(.survey, count).trimmingBlanks))
        guard try isSure || isAgreed() else { throw ExitCode.nothingMatched }

        try await outbox.changing { try await step(query, of: total, on: $0) }
    }

    private func step(_ query: OutboxQuery, of total: Int, on outbox: OutboxLink) async throws {
        var (changed, superseded) = (0, 0)
        var from: String?
        repeat {
            var step = query
            if let from { step.add("from", from) }
            let answer = FlatJSON(try await outbox.ask(change == .replay ? .replay : .discard, step))
            changed += answer.number("changed") ?? 0
            superseded += answer.number("superseded") ?? 0
            from = answer.text("next")
            if from != nil { printError("\(done): \(changed) of \(total) ...") }
        } while from != nil
        printNow("\(done): \(changed)." + (superseded > 0 ? " Superseded, and gone: \(superseded)." : ""))
    }

    private func isAgreed() throws -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            printError("Nobody can be asked here: say --yes to do it.")
            throw ExitCode.usage
        }
        printError("\(question) [y/N]")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}
