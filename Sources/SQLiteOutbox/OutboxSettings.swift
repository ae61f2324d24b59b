package import Relay

/// The store's numbers. The defaults suit one node with a disk of its own.
package struct OutboxSettings: Sendable {
    /// How long a value that Adapty confirmed is not sent again when it comes unchanged; by app, 24 hours unless given.
    package var reassertAfter: [String: Duration] = [:]
    /// How far ahead of its arrival a vendor's time is believed; beyond, the time of arrival counts. Without this bound
    /// one wrong clock would pin a value for years.
    package var mostAhead: Duration = .seconds(24 * 3600)
    /// How many profiles may wait; beyond, appends are refused as full.
    package var mostWaiting = 4_000_000
    /// How many delivered profiles are remembered in memory; the others are looked up in the file.
    package var mostRemembered = 100_000

    /// A changed profile is written to its row when this old: by then most are delivered, and one write says both.
    package var foldAfter: Duration = .seconds(5)
    /// More changed profiles than this are folded along with the commits. Bounds the log, and so the time a start
    /// takes.
    package var foldBacklog = 20_000
    /// Profiles folded in one transaction: 256 rows keep a commit behind it waiting for about 3 ms.
    package var foldSlice = 256
    /// A newer time of a known value is written when this old, unless something else writes the profile before.
    package var newerTimesAfter: Duration = .seconds(60)

    /// Written since the last checkpoint, estimated: from here on one is made at once, off the commit path.
    package var checkpointBytes = 8 << 20
    /// A write-ahead log beyond this is finished on the store's own thread, between commits: beside commits that never
    /// pause a checkpoint can reach the log's end, but not begin it anew. Beyond twice this, commits wait for it.
    package var mostLogBytes = 64 << 20
    /// While somebody reads an old state of the file, the log cannot begin anew, and grows: how often that is tried.
    package var checkpointAgainAfter: Duration = .seconds(3)
    /// The longest that something stays in the write-ahead log alone.
    package var checkpointAfter: Duration = .seconds(3)
    /// While nothing can be written: how often it is tried.
    package var probeEvery: Duration = .seconds(1)

    /// A fault for tests: the most pages the file may have.
    package var mostPages: Int?
    package var wallClock: @Sendable () -> Timestamp = { .now }

    package init() {}
}
