import Relay

// Callers that wait for Adapty's answer. What only they brought is not kept where the answer is "no such profile".

extension Ledger {
    /// Notes that a caller waits. What it waits for is due at once, also where an attempt failed before: the caller may have just
    /// created the profile.
    func noteCaller(_ request: UniqueID, of entry: Entry, at time: Timestamp) {
        let awaiting = entry.state.awaiting
        let isOnItsWay = entry.state.place == .inFlight
        entry.state.awaiting = Awaiting(
            requests: (awaiting?.requests ?? []) + (isOnItsWay ? [] : [request]),
            late: (awaiting?.late ?? []) + (isOnItsWay ? [request] : []), only: awaiting?.only ?? [],
            onlySince: awaiting?.onlySince ?? time)
        if entry.state.place == .later { queueFresh(entry) }
    }

    /// A field that nothing but a waiting caller brought. One that replaces what is kept for others is kept as well: dropping it
    /// would lose what the others were promised.
    func mark(_ identifier: Identifier, of entry: Entry, at time: Timestamp) {
        let awaiting = entry.state.awaiting
        let only = awaiting?.only ?? []
        entry.state.awaiting = Awaiting(
            requests: awaiting?.requests ?? [], late: awaiting?.late ?? [], only: only.union(IdentifierSet(identifier)),
            onlySince: only.isEmpty ? time : min(awaiting?.onlySince ?? time, time))
    }

    /// The fields are kept from now on, whatever the answer is.
    func unmark(_ fields: IdentifierSet, of entry: Entry) {
        guard let awaiting = entry.state.awaiting, !awaiting.only.isDisjoint(with: fields) else { return }
        entry.state.awaiting = Awaiting(
            requests: awaiting.requests, late: awaiting.late, only: awaiting.only.subtracting(fields),
            onlySince: awaiting.onlySince)
    }
}
