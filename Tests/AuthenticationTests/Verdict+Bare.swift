import Relay

@testable import Authentication

extension Verdict {
    /// Without what was seen; that has tests of its own.
    var bare: Verdict {
        if case .refused(let reason, _) = self { .refused(reason) } else { self }
    }
}

extension ClientKeys {
    /// Where it does not matter which of its secrets a client used.
    func client(of request: Request) throws(Refusal) -> ClientKey {
        var proof = Proof()
        return try client(of: request, &proof)
    }
}
