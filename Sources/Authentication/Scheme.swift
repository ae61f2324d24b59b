package import Relay

/// One way for a sender to prove itself. It is given the whole request, so that a scheme may sign headers and body.
package protocol Scheme: Sendable {
    /// Judges the credential in a request, and takes it out of the query or the path if it stands there.
    /// - Parameter proof: is told what a genuine one proves beside its sender.
    func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict

    /// The same before the body is there. What can be told only from the body counts as genuine until then.
    func recognize(_ head: inout Request) -> Verdict

    /// How many secrets are valid; 0 where there are none.
    var secretCount: Int { get }

    /// What `WWW-Authenticate` of a 401 asks for. RFC 9110 section 11.6.1.
    var challenge: String { get }
}

extension Scheme {
    package func recognize(_ head: inout Request) -> Verdict { verify(&head) }

    package var secretCount: Int { 0 }

    /// Where it does not matter what else is proved.
    package func verify(_ request: inout Request) -> Verdict {
        var proof = Proof()
        return verify(&request, &proof)
    }
}

/// What a credential is worth.
package enum Verdict: Sendable, Equatable {
    case genuine
    case refused(Reason, Evidence = Evidence())

    /// Why not, for the log and never for the sender: which part was wrong would help a stranger.
    package enum Reason: String, Error, CaseIterable {
        case noCredential = "no_credential"
        case wrongCredential = "wrong_credential"
        case malformedCredential = "malformed_credential"
        case wrongSignature = "wrong_signature"
        /// Signed longer ago than is tolerated: somebody may have kept it.
        case stale = "stale"
        case fromTheFuture = "from_the_future"
        case wrongAddress = "wrong_address"
    }
}

/// Anybody may send. Only where the configuration says so in words.
package struct Anybody: Scheme {
    package init() {}

    package func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict { .genuine }

    package var challenge: String { "" }
}
