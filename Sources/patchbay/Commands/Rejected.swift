import ArgumentParser
import Relay

/// Shows why requests were refused, as the running node remembers it.
struct Rejected: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows which requests a running node refused, and what is wrong at their senders.",
        discussion: """
            Example:
              patchbay rejected --config config/patchbay.yaml --source onesignal --since 10m

            Asks the node over its admin listener. Refusals of one kind are one line with a count, and under it the \
            last request of each of the latest senders, with a sentence on what to look at. Nothing of a credential, a \
            query or a body is kept. The node remembers in memory: a restart forgets. Exits 69 where no node answers \
            and 77 where it does not take the token.
            """)

    @OptionGroup var node: AdminOptions

    @Option(help: "Only of this source or client key.")
    var source: String?

    @Option(help: "Only with this cause, such as wrong_credential.")
    var cause: String?

    @Option(help: "Only with this status, such as 401.")
    var status: Int?

    @Option(help: "Only of the last 90s, 10m, 2h or 1d.")
    var since: String?

    @Option(help: "At most so many kinds.")
    var limit = 50

    @Flag(help: "JSON lines instead of a table.")
    var json = false

    func run() async throws {
        let parameters: [(String, String?)] = [
            ("source", source), ("cause", cause), ("status", status.map(String.init)), ("since", since),
            ("limit", String(limit)), ("as", json ? "json" : "text"),
        ]
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        let answer = try AdminClient(node).send(.get, "/rejected?" + query.joined(separator: "&"))
        print(answer.body, terminator: "")
    }
}

extension String {
    /// RFC 3986 section 2.3: all but letters, digits and `-._~` is encoded.
    fileprivate var percentEncoded: String {
        utf8.map { byte in
            byte.isLetterOrDigit || "-._~".utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
        }.joined()
    }
}
