import Admin
import Authentication
import Configuration
import Relay
import Synchronization

/// Who may see the admin pages. Off loopback a token is required; the configuration saw to that.
final class AdminGate: Sendable {
    private struct Rule {
        /// Nil where everybody may who reaches them under a name of ours.
        let scheme: TokenScheme?
        let hosts: AdmittedHosts

        init(_ admin: AdminConfiguration) {
            let tokens = admin.tokens
            scheme = tokens.isEmpty ? nil : TokenScheme(tokens, in: .header("authorization", prefix: "Bearer "))
            hosts = AdmittedHosts(admin.hosts)
        }
    }

    private let rule: Mutex<Rule>

    init(_ admin: AdminConfiguration) {
        rule = Mutex(Rule(admin))
    }

    func admit(_ admin: AdminConfiguration) {
        rule.withLock { $0 = Rule(admin) }
    }

    func judge(_ request: Request) -> Admission {
        let rule = rule.withLock { $0 }
        guard let scheme = rule.scheme else { return rule.hosts.admits(request) ? .granted : .misdirected }
        var request = request
        return scheme.verify(&request) == .genuine ? .granted : .unauthorized
    }
}
