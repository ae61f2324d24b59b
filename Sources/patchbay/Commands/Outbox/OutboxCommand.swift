import Admin
import ArgumentParser
import Relay

/// What waits, why, and what can be done about it.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "What is undelivered, why, and what to do about it.",
        discussion: """
            Example:
              patchbay outbox                                         is anything undelivered right now, and why?
              patchbay outbox list --state dead --error validation_error
              patchbay outbox show usr_1
              patchbay outbox replay --app main --older-than 1h
              patchbay outbox backup /var/backups/patchbay.db

            Works while `patchbay serve` runs, by asking the node over its admin listener; otherwise it reads the file \
            itself, and keeps no node from starting. Exit 1 where the outbox cannot be written. States: waiting (no \
            attempt failed), retrying, missing (Adapty does not know the profile yet), in_flight, paused (the app's \
            settings are wrong), dead.
            """,
        subcommands: [
            OutboxList.self, OutboxShow.self, OutboxReplay.self, OutboxDiscard.self, OutboxBackup.self,
        ],
        defaultSubcommand: OutboxList.self)
}

struct OutboxList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "What is undelivered: how much of what, then the oldest of it.",
        discussion: """
            Example:
              patchbay outbox list --app main --state retrying --state missing --limit 50
            """,
        aliases: ["status"])

    @OptionGroup var options: AdminOptions
    @OptionGroup var filter: OutboxFilterOptions

    @Option(help: "How many are listed, at most 100000; all are counted.")
    var limit = 20

    @Flag(help: "Profiles by their ids, whatever log.profiles says.")
    var plain = false

    @Flag(help: "JSON.")
    var json = false

    func run() async throws {
        guard limit >= 0 else { throw ValidationError("--limit is a whole number.") }
        var query = try filter.query
        query.add(try filter.states)
        var short = query
        short.add("limit", "0")
        query.add("limit", String(min(limit, 100_000)))
        if plain { query.add("plain") }
        if !json { query.add("text") }
        try await withOutbox(options) { outbox in
            printNow(String(try await outbox.ask(.survey, query).trimmingBlanks))
            let isWritable = FlatJSON(try await outbox.ask(.survey, short)).flag("writable") ?? true
            if !isWritable { throw ExitCode.failure }
        }
    }
}

struct OutboxShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "All that is known of one profile: what waits, what is applied, what Adapty said last.",
        discussion: """
            Example:
              patchbay outbox show usr_1

            PROFILE is a customer user id, a profile id, or what stands in the log for one. Exit 1 where none is known.
            """)

    @OptionGroup var options: AdminOptions

    @Argument(help: "The profile.")
    var profile: String

    @Flag(help: "JSON.")
    var json = false

    @Flag(help: "The profile by its id, whatever log.profiles says.")
    var plain = false

    func run() async throws {
        var query = OutboxQuery()
        query.add("name", profile)
        if plain { query.add("plain") }
        if !json { query.add("text") }
        try await withOutbox(options) { printNow(String(try await $0.ask(.profile, query).trimmingBlanks)) }
    }
}

struct OutboxBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Writes a copy of the outbox as it is now, also while a node works with it.",
        discussion: """
            Example:
              patchbay outbox backup /var/backups/patchbay-$(date +%F).db

            The copy is readable for its owner alone, is read once to see that it is whole, and overwrites nothing. \
            A node that is started on it delivers what was undelivered then. Of a running node, the node writes it: \
            with the node's rights, on the node's disk.
            """)

    @OptionGroup var options: AdminOptions

    @Argument(help: "Where to.", completion: .file())
    var file: String

    func run() async throws {
        var query = OutboxQuery()
        query.add("path", file.hasPrefix("/") ? file : currentDirectory() + "/" + file)
        try await withOutbox(options) { outbox in
            let bytes = FlatJSON(try await outbox.ask(.backup, query)).number("bytes") ?? 0
            printNow("\(file): \(bytes) bytes, whole.")
        }
    }
}
