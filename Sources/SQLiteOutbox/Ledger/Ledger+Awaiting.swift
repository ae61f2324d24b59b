import Relay

// Callers that wait for Adapty's answer. What only they brought is not kept where the answer is "no such profile".

extension Ledger {
    /// Callers of one profile that are remembered at once. More than a few are retries of one app whose upstream is
    /// down.
    private static let mostCallers = 16

    /// Notes that a caller waits. What it waits for is due at once, also where an attempt failed before: the caller may
    /// have just created the profile.
    func noteCaller(_ request: UniqueID, of entry: Entry) {
        let awaiting = entry.state.awaiting
        var requests = awaiting?.requests ?? []
        var late = awaiting?.late ?? []
        var only = awaiting?.only ?? []
        if requests.count + late.count >= Self.mostCallers {
            // The oldest are forgotten, and so cannot be told: what was brought is kept.
            (requests, late, only) = ([], [], [])
        }
        if entry.state.place == .inFlight { late.append(request) } else { requests.append(request) }
        entry.state.awaiting = Awaiting(requests: requests, late: late, only: only)
        if entry.state.place == .later { queueFresh(entry) }
    }

    /// A field that nothing but a waiting caller brought. One that replaces what is kept for others is kept as well:
    /// dropping it would lose what the others were promised.
    func mark(_ identifier: Identifier, of entry: Entry) {
        let awaiting = entry.state.awaiting
        entry.state.awaiting = Awaiting(
            requests: awaiting?.requests ?? [], late: awaiting?.late ?? [],
            only: (awaiting?.only ?? []).union(IdentifierSet(identifier)))
    }

    /// The fields are kept from now on, whatever the answer is.
    func unmark(_ fields: IdentifierSet, of entry: Entry) {
        guard let awaiting = entry.state.awaiting, !awaiting.only.isDisjoint(with: fields) else { return }
        entry.state.awaiting = Awaiting(
            requests: awaiting.requests, late: awaiting.late, only: awaiting.only.subtracting(fields))
    }
}
