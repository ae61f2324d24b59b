import GRDB
package import Relay

/// The outbox as its file says, for whoever looks while no node answers.
///
/// Only reads: no lock of the outbox is taken, so that no node's start is kept up; nothing is written, removed or
/// forgotten. What a killed process left in the write-ahead log is read with the rest.
package final class OutboxSnapshot: OutboxDesk {
    private let path: String
    private let settings: OutboxSettings
    private let queue: DatabaseQueue
    // Never changes once it is filled, and nothing of it but its values is handed out: hence unchecked.
    private nonisolated(unsafe) let ledger: Ledger
    private let apps: [String]
    package let trouble: OutboxFailure?

    /// Blocks while it reads all that waits.
    package init(path: String, settings: OutboxSettings) throws(OutboxOpenError) {
        self.path = path
        self.settings = settings
        let ledger = Ledger(settings: settings)
        do {
            let file = try DatabaseQueue(path: path, configuration: OutboxFile.readerConfiguration)
            let version = try file.read { db in
                _ = try Schema.check(db, path: path)
                return try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            }
            queue = version == Schema.version ? file : try Self.migrated(file)
            let letters = try queue.read { try recover(ledger, in: $0).deadLetters }
            apps = Set(ledger.apps.keys).union(letters.keys).union(settings.reassertAfter.keys).sorted()
        } catch {
            throw OutboxOpenError(path: path, error)
        }
        self.ledger = ledger
        let room = settings.room(path)
        trouble = room < settings.reserveBytes ? .full(noRoom(room, of: settings)) : nil
    }

    /// A copy in memory, as the next start would make it: the file stays what an older Patchbay can read.
    private static func migrated(_ file: DatabaseQueue) throws -> DatabaseQueue {
        let copy = try DatabaseQueue()
        try file.backup(to: copy)
        try file.close()
        try Schema.migrator.migrate(copy)
        return copy
    }

    package func survey(_ filter: DeskFilter, limit: Int) async throws(DeskError) -> DeskSurvey {
        let now = settings.clock()
        var survey = DeskSurvey()
        var oldest = Oldest(limit)
        for app in ledger.apps.keys {
            for part in 0..<AppLedger.partCount {
                let found = ledger.survey(filter, of: app, part: part, before: oldest.bound, at: now)
                survey.counts.merge(found.counts, uniquingKeysWith: +)
                oldest.add(found.old)
            }
        }
        survey.items = ledger.items(of: oldest.sorted, filter, at: now)
        if filter.states.contains(.dead) {
            survey.add(try read { try DeadLetter.survey(filter, limit: limit, at: now, in: $0) }, limit: limit)
        }
        return survey
    }

    package func show(
        _ wanted: DeskProfileName, pausedApps: Set<String>
    ) async throws(DeskError) -> [DeskProfile] {
        let found = try profiles(wanted.references, pausedApps)
        guard found.isEmpty else { return found }
        return try profiles(try read { try ProfileRow.references(matching: wanted, in: $0) }, pausedApps)
    }

    private func profiles(
        _ references: [ProfileReference], _ pausedApps: Set<String>
    ) throws(DeskError) -> [DeskProfile] {
        let now = settings.clock()
        return try read { [apps, ledger] db in
            try apps.flatMap { app in
                try references.compactMap { reference in
                    ledger.show(
                        reference, of: app, isPaused: pausedApps.contains(app),
                        try ProfileRow.find(reference, of: app, in: db),
                        try DeadLetter.find(reference, of: app, at: now, in: db), at: now)
                }
            }
        }
    }

    package func change(
        _ change: DeskChange, _ filter: DeskFilter, from: DeskPlace
    ) async throws(DeskError) -> DeskStep {
        throw .refused("this only reads")
    }

    package func backup(to path: String) async throws(DeskError) -> Int { try backUp(self.path, to: path) }

    package var fileBytes: Int { fileSize(path) + fileSize(path + "-wal") }

    private func read<Answer>(_ work: (Database) throws -> Answer) throws(DeskError) -> Answer {
        do {
            return try queue.read(work)
        } catch {
            throw DeskError(error)
        }
    }
}
