import Relay

// Callers that wait for Adapty's answer. What only they brought is not kept where the answer is "no such profile".

extension Ledger {
    /// Callers of one profile that are remembered at once. More than a few are retries of one app whose upstream is
    /// down.
    private static let mostCallers = 16

    /// Notes that a caller waits. What it waits for is due at once, also where an attempt failed before: the caller may
    /// have just created the profile.
    func noteCaller(_ waiter: Waiter, of entry: Entry) {
        var rare = entry.state.rare
        if rare.waiters.count + rare.lateWaiters.count >= Self.mostCallers {
            // The oldest are forgotten, and so cannot be told: what was brought is kept.
            (rare.waiters, rare.lateWaiters, rare.exclusive) = ([], [], [])
        }
        if entry.state.place == .inFlight { rare.lateWaiters.append(waiter) } else { rare.waiters.append(waiter) }
        entry.state.rare = rare
        if entry.state.place == .later { queueFresh(entry) }
    }

    /// A field that nothing but a waiting caller brought. One that replaces what is kept for others is kept as well:
    /// dropping it would lose what the others were promised.
    func mark(_ identifier: Identifier, of entry: Entry) {
        entry.state.rare.exclusive.formUnion(IdentifierSet(identifier))
    }

    /// The fields are kept from now on, whatever the answer is.
    func unmark(_ fields: IdentifierSet, of entry: Entry) {
        guard entry.state.hasRare, !entry.state.rare.exclusive.isDisjoint(with: fields) else { return }
        entry.state.rare.exclusive.subtract(fields)
    }
}
