import Relay

/// A profile as its row has it.
struct StoredProfile {
    let app: String
    let profile: ProfileReference
    var waiting = MergedPatch()
    var applied = AppliedPatch()
    var origin = ""
    var since = Timestamp(milliseconds: 0)
    var due = Timestamp(milliseconds: 0)
    var attempts = 0
    /// Meaningful where there are attempts.
    var failingSince = Timestamp(milliseconds: 0)
    var lastFailure: Failure?
    /// The row contains what the log says of the profile up to here.
    var through: Int64 = 0
    let row: Int64
}

extension Ledger {
    /// Remembers a profile that is not in memory.
    func restore(_ stored: StoredProfile) {
        let entry = app(stored.app).addEntry(of: stored.profile)
        entry.row = stored.row
        entry.state.waiting = PackedPatch(stored.waiting)
        entry.state.applied = stored.applied
        entry.state.origin = origin(stored.origin)
        guard entry.state.isWaiting else { return noteIdle(entry) }
        beginWait(of: entry, since: stored.since)
        entry.state.attempts = Int32(clamping: stored.attempts)
        entry.state.failingSince = stored.failingSince
        entry.state.lastFailure = stored.lastFailure.map(share)
        if stored.attempts == 0 { queueFresh(entry) } else { queueLater(entry, at: stored.due) }
    }
}
