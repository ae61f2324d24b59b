import Relay

/// What has been asked of the store since it last looked. It is done in this order: settlements, appends, claims,
/// questions. A caller that waits for an answer before it asks the next thing sees its own order kept.
struct Mail {
    struct Append {
        let submission: Submission
        let answer: CheckedContinuation<Result<[Disposition], OutboxFailure>, Never>
    }

    struct ClaimRequest {
        let limit: Int
        let app: String
        let now: Timestamp
        let probe: ProbeOrder?
        let answer: CheckedContinuation<Claim, Never>
    }

    var settlements: [(delivery: Delivery, settlement: Settlement)] = []
    var appends: [Append] = []
    var claims: [ClaimRequest] = []
    var censuses: [CheckedContinuation<[Census], Never>] = []
    /// The desk's.
    var errands: [(Store) -> Void] = []
    var folds: [CheckedContinuation<Void, Never>] = []
    var closes: [CheckedContinuation<Void, Never>] = []
    /// The write-ahead log is long, and all but its end is in the file: the end is wanted there too.
    var wantsCheckpoint = false
    /// There is something to do that nobody waits for.
    var wantsHousekeeping = false
    /// Nothing is taken any more.
    var isClosed = false
    /// The file is closed, and its lock free.
    var isOver = false

    var isEmpty: Bool {
        settlements.isEmpty && appends.isEmpty && !hasQuestions && !wantsCheckpoint && !wantsHousekeeping
    }

    /// Somebody waits for more than a commit.
    var hasQuestions: Bool {
        !claims.isEmpty || !censuses.isEmpty || !folds.isEmpty || !errands.isEmpty || isClosed
    }

    /// Everything so far; what comes next starts from nothing.
    mutating func takeAll() -> Mail {
        var rest = Mail()
        rest.isClosed = isClosed
        return exchange(&self, with: rest)
    }
}
