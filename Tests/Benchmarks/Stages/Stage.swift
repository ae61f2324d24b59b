import Vendors

/// A part of what one event costs, measured alone.
struct Stage: Sendable {
    /// One word: what `instructions.txt` keeps its count under.
    let name: String
    /// Whether every event takes the same instructions. Not where threads meet and a disk is waited for.
    var isSteady = true
    /// Makes once what its events use, and tries one of them.
    let prepare: @Sendable () async throws -> Work

    /// In the order in which an event meets them; at the end all of them together.
    static func all() throws -> [Stage] {
        [.reader, .authenticate, .limiter] + (try Sample.catalog().vendorNames.map { .vendor($0) })
            + [.merge, .recognize, .commit, .logLine, .intake]
    }
}

/// A stage that is ready.
struct Work {
    /// Does so many events, and throws where one of them comes to something else than it should: what is measured is
    /// what is meant, also after the stage was changed.
    let perform: (_ count: Int) async throws -> Void
    /// Ends what works beside it.
    var end: () async -> Void = {}
}

extension Work {
    /// Of events that wait for nothing. One of them is done now: what only the first event takes is not measured.
    init(end: @escaping () async -> Void = {}, event: @escaping () throws -> Void) throws {
        try event()
        self.init(perform: { count in try countedEvents(count, event) }, end: end)
    }
}

/// Callgrind counts while this runs, and on its thread alone: see `stages.sh`, which knows its name.
@inline(never)
private func countedEvents(_ count: Int, _ event: () throws -> Void) throws {
    for _ in 0..<count { try event() }
}

/// An event that came to something else.
struct Surprise: Error {
    let words: String
}

func expect(_ holds: Bool, _ words: @autoclosure () -> String) throws(Surprise) {
    guard holds else { throw Surprise(words: words()) }
}
