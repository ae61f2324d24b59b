package import Relay

/// Only who sends from one of these networks, and proves itself as well where more is asked.
package struct AddressScheme: Scheme {
    private let networks: [Network]
    private let proof: (any Scheme)?

    /// - Parameters:
    ///   - networks: with none of them, nobody may send.
    ///   - proof: what else must hold; nil where the address is enough.
    package init(_ networks: [Network], and proof: (any Scheme)? = nil) {
        self.networks = networks
        self.proof = proof
    }

    package var challenge: String { proof?.challenge ?? "Address" }

    package var secretCount: Int { proof?.secretCount ?? 0 }

    package func verify(_ request: inout Request, _ proof: inout Proof) -> Verdict {
        guard isAllowed(request.peer) else { return .refused(.wrongAddress) }
        return self.proof?.verify(&request, &proof) ?? .genuine
    }

    package func recognize(_ head: inout Request) -> Verdict {
        guard isAllowed(head.peer) else { return .refused(.wrongAddress) }
        return proof?.recognize(&head) ?? .genuine
    }

    /// The peer is the client as far as the proxies are trusted that speak for it.
    private func isAllowed(_ peer: PeerAddress) -> Bool {
        guard let address = peer.address else { return false }
        return networks.contains { $0.contains(address) }
    }
}
