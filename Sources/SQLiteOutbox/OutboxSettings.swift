package import Relay

/// The store's numbers. The defaults suit one node with a disk of its own.
package struct OutboxSettings: Sendable {
    /// How long to wait for another process that has the file to end; by default it is an error at once.
    package var lockPatience: Duration = .zero
    /// How long a value that Adapty confirmed is not sent again when it comes unchanged; by app, 24 hours unless given.
    package var reassertAfter: [String: Duration] = [:]
    /// How long an attempt whose end nobody knows may still be taken; by app, 60 seconds unless given.
    package var settleAfter: [String: Duration] = [:]
    /// After a crash nobody knows which attempts were under way. Of so many profiles of an app, those that waited
    /// longest, all are taken for such: more than were sent since the file was last brought up to date.
    package var maxUncertainAfterCrash = 16_384
    /// How far ahead of its arrival a vendor's time is believed; beyond, the time of arrival counts. Without this bound
    /// one wrong clock would pin a value for years.
    package var mostAhead: Duration = .seconds(24 * 3600)
    /// How many profiles may wait; beyond, appends are refused as full.
    package var mostWaiting = 4_000_000
    /// How many delivered profiles are remembered in memory; the others are looked up in the file.
    package var mostRemembered = 100_000

    /// A commit costs the same whatever is in it. Where the last one held a few requests, more than one and so few, the
    /// next waits until there are as many as are not few, for this long after it at most. One caller that waits for
    /// each answer is not kept waiting, nor are so many that they gather by themselves.
    package var gatherFor: Duration = .milliseconds(2)
    package var gatherWhere = 2..<10

    /// A changed profile is written to its row when this old: by then most are delivered, and one write says both.
    package var foldAfter: Duration = .seconds(5)
    /// More changed profiles than this are folded along with the commits. Bounds the log, and so the time a start
    /// takes.
    package var foldBacklog = 20_000
    /// Profiles that are put in the order of their rows before they are folded.
    package var foldBatch = 16_384
    /// Profiles folded in one transaction: 256 rows keep a commit behind it waiting for about 3 ms.
    package var foldSlice = 256
    /// Fewer where their patches hold more bytes than this: a transaction takes several times as much of the log.
    package var foldSliceBytes = 256 << 10
    /// Rows of the log that one transaction lets go of, and how long a commit is waited for that does the same.
    package var letGoSlice = 1024
    package var letGoPause: Duration = .milliseconds(10)
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

    /// While nothing is committed: how often it is looked whether the files are still there.
    package var lookEvery: Duration = .milliseconds(500)

    /// Whether anything is forgotten at all. Not where a person opens the file to change something and closes it.
    package var forgets = true
    /// What was delivered, and has not changed for so long, is forgotten: its row, and what memory holds of it. Until
    /// then a repetition is known as one, and an event that comes late as late.
    package var keepApplied: Duration = .seconds(30 * 86_400)
    /// Dead letters are removed when they died so long ago.
    package var keepDeadLetters: Duration = .seconds(30 * 86_400)
    /// Beyond this the oldest delivered profiles are forgotten whatever their age. What is not delivered stays: the
    /// file may be larger.
    package var mostFileBytes = 4 << 30
    /// How often it is looked whether there is something to forget, and how often all rows are gone through for it.
    package var trimEvery: Duration = .seconds(60)
    package var sweepEvery: Duration = .seconds(3600)
    /// While there is: the pause between two small transactions, and the rows that each looks at.
    package var trimPause: Duration = .milliseconds(50)
    package var trimSlice = 256
    /// Free room that stays in the file for what comes next; more is given back to the disk.
    package var freeBytes = 16 << 20

    /// Less room than this on the disk counts as none: what is in the log alone has to get into the file, and a slice
    /// of the fold first into one and then into the other, or nothing delivered would ever make room.
    package var reserveBytes = 4 << 20
    /// How much room the disk with a path has, in bytes.
    package var room: @Sendable (_ path: String) -> Int = { roomOnDisk($0) }

    /// How long another program's lock on the file is waited for.
    package var lockWait: Duration = .seconds(5)
    /// A fault for tests: asked before each commit, which fails with what it throws.
    package var failCommit: (@Sendable () throws -> Void)?
    /// A fault for tests: the most pages the file may have.
    package var mostPages: Int?
    /// What is due and how old something is go by this: times that no step of the wall clock moves, and the same that
    /// deliveries claim and settle by.
    package var clock: @Sendable () -> Timestamp = { [time = SteadyTime(ContinuousClock())] in time.now }

    package init() {}
}
