import Relay

/// `outbox`: where patches wait.
package enum OutboxConfiguration: Sendable, Equatable {
    /// `sqlite:PATH`, the default with var/patchbay.db.
    case sqlite(path: String)

    static let standard = OutboxConfiguration.sqlite(path: "var/patchbay.db")
}

extension Kind<OutboxConfiguration> {
    static var outbox: Kind<OutboxConfiguration> {
        Kind(
            "sqlite:PATH, such as sqlite:var/patchbay.db",
            read: { text throws(Wrong) in
                // Such a URL may hold a password: it is not shown either.
                if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
                    throw Wrong("PostgreSQL is not available in this version; write sqlite:PATH")
                }
                let path = text.dropFirst("sqlite:".count)
                // `:memory:` would be a file of that name, not what it is elsewhere.
                guard text.hasPrefix("sqlite:"), !path.isEmpty, !path.hasPrefix(":"),
                    !path.utf8.contains(where: \.isControl)
                else {
                    throw Wrong("this is not \(Self.outbox.name)")
                }
                return .sqlite(path: String(path))
            },
            write: { outbox in
                switch outbox {
                case .sqlite(let path): "sqlite:\(path)"
                }
            })
    }
}
