import GRDB

/// Why an outbox cannot be opened: the path, and a sentence for the person who starts the process.
package struct OutboxOpenError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Problem: Sendable, Equatable {
        /// Another process serves from this file.
        case inUse
        /// The file or its directory cannot be written or made.
        case notWritable
        /// The file is no SQLite file, is damaged, or belongs to another program.
        case corrupt
        /// A newer Patchbay made it.
        case newerSchema
        case failed
    }

    package let path: String
    package let problem: Problem
    /// The raw cause: the call, the code and the words.
    package let cause: String

    package init(path: String, problem: Problem, cause: String) {
        self.path = path
        self.problem = problem
        self.cause = cause
    }

    package var description: String {
        switch problem {
        case .inUse: "the outbox \(path) is in use by another process: \(cause)"
        case .notWritable: "the outbox \(path) cannot be written: \(cause)"
        case .corrupt: "the outbox \(path) is damaged or is no outbox: \(cause)"
        case .newerSchema: "the outbox \(path) was made by a newer Patchbay: \(cause)"
        case .failed: "the outbox \(path) cannot be opened: \(cause)"
        }
    }
}

extension OutboxOpenError {
    init(path: String, _ error: any Error) {
        switch error {
        case let error as OutboxOpenError: self = error
        case let error as DatabaseError:
            let problem: Problem =
                switch error.resultCode {
                case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
                case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_FULL: .notWritable
                case .SQLITE_BUSY, .SQLITE_LOCKED: .inUse
                default: .failed
                }
            self.init(path: path, problem: problem, cause: error.words)
        case let error as StoredJSON.Malformed:
            self.init(path: path, problem: .corrupt, cause: error.description)
        case let error as WriteFailure: self.init(path: path, problem: .failed, cause: error.description)
        default: self.init(path: path, problem: .failed, cause: "\(error)")
        }
    }
}

extension DatabaseError {
    /// Without the statement's arguments: they hold people's ids.
    var words: String {
        "SQLite \(extendedResultCode.rawValue): \(message ?? "no message")"
    }
}
