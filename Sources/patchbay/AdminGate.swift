import Authentication
import Configuration
import Relay
import Synchronization

/// Who may see the admin pages. Off loopback a token is required; the configuration saw to that.
final class AdminGate: Sendable {
    /// Nil where everybody may who reaches them.
    private let scheme = Mutex<TokenScheme?>(nil)

    init(_ admin: AdminConfiguration) {
        admit(admin)
    }

    func admit(_ admin: AdminConfiguration) {
        let tokens = admin.tokens
        scheme.withLock {
            $0 = tokens.isEmpty ? nil : TokenScheme(tokens, in: .header("authorization", prefix: "Bearer "))
        }
    }

    func isOpen(to request: Request) -> Bool {
        guard let scheme = scheme.withLock({ $0 }) else { return true }
        var request = request
        return scheme.verify(&request) == .genuine
    }
}
