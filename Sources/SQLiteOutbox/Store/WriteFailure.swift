import GRDB
import Relay

/// What a failed write means for the callers, and for the store.
struct WriteFailure: Error {
    let failure: OutboxFailure
    /// Nothing more may be accepted until the file is opened anew.
    let isLasting: Bool

    /// No room for more that waits.
    init(full words: String) {
        failure = .full(words)
        isLasting = false
    }

    /// The files are not those that were opened any more.
    init(taken words: String) {
        failure = .unavailable(words)
        isLasting = true
    }

    init(_ error: any Error) {
        if let known = error as? WriteFailure {
            self = known
            return
        }
        guard let error = error as? DatabaseError else {
            failure = .unavailable("\(error)")
            isLasting = false
            return
        }
        switch (error.resultCode, error.extendedResultCode) {
        case (_, .SQLITE_IOERR_FSYNC), (_, .SQLITE_IOERR_DIR_FSYNC):
            // After a failed fsync the kernel may have thrown the pages away and say that all is well the next time.
            failure = .unavailable(error.words)
            isLasting = true
        case (.SQLITE_CORRUPT, _), (.SQLITE_NOTADB, _):
            failure = .unavailable(error.words)
            isLasting = true
        case (.SQLITE_FULL, _), (_, .SQLITE_IOERR_WRITE), (_, .SQLITE_IOERR_TRUNCATE):
            failure = .full(error.words)
            isLasting = false
        default:
            failure = .unavailable(error.words)
            isLasting = false
        }
    }
}

// An error may be read by a person wherever it ends: in words, not as Swift would write the value.

extension WriteFailure: CustomStringConvertible {
    var description: String { failure.description }
}

extension StoredJSON.Malformed: CustomStringConvertible {
    var description: String { "a column is no JSON of ours, at byte \(offset)" }
}
