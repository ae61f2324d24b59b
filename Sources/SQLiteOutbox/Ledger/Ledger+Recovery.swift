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
    /// When the row was written, by the clock of the process that wrote it.
    var changed = Timestamp(milliseconds: 0)
    let row: Int64
    var rejected: [RejectedField] = []
    /// Attempts of its may be taken until then.
    var uncertainUntil: Timestamp?
}

extension Ledger {
    /// Remembers a profile that is not in memory.
    ///
    /// Its times were written by a clock that may have been wrong, or that is wrong now. So of two of them only the
    /// distance is believed: a retry waits no longer than it was told to, an attempt has failed for as long as it had
    /// when that was written (while no process ran nothing was tried), and nothing was confirmed in the future.
    func restore(_ stored: StoredProfile, at now: Timestamp) {
        let entry = app(stored.app).addEntry(of: stored.profile)
        entry.row = stored.row
        entry.state.waiting = PackedPatch(stored.waiting)
        entry.state.applied = stored.applied.confirmed(notAfter: now)
        entry.state.origin = origin(stored.origin)
        if !stored.rejected.isEmpty {
            entry.state.rare.rejected = stored.rejected.map { rejected in
                var rejected = rejected
                rejected.answer = share(rejected.answer.answer)
                return rejected
            }
        }
        if let until = stored.uncertainUntil, until > stored.changed {
            entry.state.rare.anyUncertainUntil = min(until, now + (until - stored.changed))
        }
        guard entry.state.isWaiting else { return noteIdle(entry) }
        beginWait(of: entry, since: min(stored.since, now))
        entry.app.note(Int32(clamping: min(stored.attempts, 1 << 30)), stored.lastFailure.map(share), of: entry)
        entry.state.failingSince = now - max(stored.changed - stored.failingSince, .zero)
        if stored.attempts == 0, stored.due <= stored.changed {
            queueFresh(entry)
        } else {
            queueLater(entry, at: min(stored.due, now + max(stored.due - stored.changed, .zero)))
        }
    }

    /// An earlier process ended without a word: attempts of what waits may have been under way.
    /// - Returns: until when they may be taken.
    func distrustAttempts(before now: Timestamp) -> Timestamp? {
        var end: Timestamp?
        for app in apps.values {
            let until = now + (settings.settleAfter[app.name] ?? .seconds(60))
            for entry in app.oldestWaiting(settings.maxUncertainAfterCrash) {
                entry.state.rare.anyUncertainUntil = until
                end = max(end ?? until, until)
            }
        }
        return end
    }
}
