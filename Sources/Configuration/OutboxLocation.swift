/// What a command needs to look into an outbox that no node serves, and to change it as the node would: where it is,
/// how a profile is shown, and what is kept for how long.
package struct OutboxLocation: Sendable {
    package let outbox: OutboxConfiguration
    package let log: LogConfiguration
    package let retention: RetentionConfiguration
    /// Each app's `reassert_after` and `settle_after`.
    package let apps: [String: (reassertAfter: Duration, settleAfter: Duration)]

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
        retention = root.section("retention") { RetentionConfiguration($0) }
        apps = root.unfinishedSections("apps") {
            (AppConfiguration.reassertAfter($0), AppConfiguration.settleAfter($0))
        }
        guard reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes) }
    }
}
