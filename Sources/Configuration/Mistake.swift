/// One thing that is wrong with a configuration: where, and a sentence that says what to do. It never shows a value
/// from the file, since what stands in the wrong place may be a secret.
package struct Mistake: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nil where the file as a whole is meant.
    package let line: Int?
    /// `apps.main.secret_key`; empty for the file as a whole.
    package let key: String
    package let sentence: String

    /// `line 14: apps.main.secret_key: the environment variable ADAPTY_SECRET_KEY is not set`
    package var description: String {
        [line.map { "line \($0)" }, key.isEmpty ? nil : key, sentence].compactMap { $0 }.joined(separator: ": ")
    }
}

/// All that is wrong with a configuration, by line.
package struct Mistakes: Error, Sendable, Equatable, CustomStringConvertible {
    package let all: [Mistake]

    init(_ mistakes: [Mistake]) {
        // Sorting is stable, so mistakes of one line stay in the order they were found.
        all = mistakes.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    /// A line for each.
    package var description: String { all.map(\.description).joined(separator: "\n") }
}
