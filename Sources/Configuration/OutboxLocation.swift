/// What a command needs to look into an outbox that no node serves: where it is, and how a profile is shown.
package struct OutboxLocation: Sendable {
    package let outbox: OutboxConfiguration
    package let log: LogConfiguration
    /// The apps' names.
    package let apps: [String]

    /// Reads nothing else of the file, so that nobody needs a node's secrets to look.
    package init(contentsOf path: String, in surroundings: Surroundings = .process) throws(Mistakes) {
        let reader = Reader()
        let text = try surroundings.text(of: path)
        let root: Section
        do throws(Mistake) {
            root = Section(try Node(yaml: text), reader)
        } catch {
            throw Mistakes([error])
        }
        outbox = root.value("outbox", .outbox, default: OutboxConfiguration.standard)
        log = root.section("log") { LogConfiguration($0) }
        apps = root.names(in: "apps").sorted()
        guard reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes) }
    }
}
