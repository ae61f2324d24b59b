import Metrics

/// What the store tells of itself.
struct OutboxMetrics {
    private let commits = Counter(label: "patchbay_outbox_commits_total")
    private let accepted = Counter(label: "patchbay_outbox_accepted_total")
    private let found = Counter(label: "patchbay_outbox_lookups_total", dimensions: [("result", "found")])
    private let new = Counter(label: "patchbay_outbox_lookups_total", dimensions: [("result", "new")])
    private let held = Counter(label: "patchbay_outbox_log_held_total")
    private let profilesTrimmed = Counter(
        label: "patchbay_outbox_trimmed_total", dimensions: [("kind", "profile")])
    private let deadLettersTrimmed = Counter(
        label: "patchbay_outbox_trimmed_total", dimensions: [("kind", "dead_letter")])
    private let duration = Metrics.Timer(label: "patchbay_outbox_commit_seconds")

    func committed(rows: Int, within duration: Duration) {
        commits.increment()
        accepted.increment(by: rows)
        let (seconds, attoseconds) = duration.components
        self.duration.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// Profiles that were not in memory were looked up in the file.
    func lookedUp(found: Int, new: Int) {
        self.found.increment(by: found)
        self.new.increment(by: new)
    }

    /// A reader keeps the write-ahead log from beginning anew; counted once, however long it stays.
    func logHeld() { held.increment() }

    func trimmed(profiles: Int = 0, deadLetters: Int = 0) {
        profilesTrimmed.increment(by: profiles)
        deadLettersTrimmed.increment(by: deadLetters)
    }
}
