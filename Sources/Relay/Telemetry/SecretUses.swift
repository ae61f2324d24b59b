import Metrics

/// Counts which of several secrets senders use, so that an old one can be taken away when nobody does any more. By its
/// place in the configured list; never by anything of the secret.
package struct SecretUses: Sendable {
    /// Whose secrets they are; as the metric's label has it.
    package enum Holder: String, Sendable {
        case source
        case clientKey = "client_key"
    }

    private let counters: [Counter]

    /// - Parameter count: how many secrets there are. All are there from the start, so that one that nobody uses is
    ///   seen to be 0.
    package init(of holder: Holder, _ name: String, count: Int) {
        counters = (0..<max(0, count)).map { index in
            Counter(
                label: "patchbay_secret_used_total",
                dimensions: [(holder.rawValue, name), ("place", String(index + 1))])
        }
    }

    /// - Parameter place: from 1.
    package func count(_ place: Int) {
        if counters.indices.contains(place - 1) { counters[place - 1].increment() }
    }
}
