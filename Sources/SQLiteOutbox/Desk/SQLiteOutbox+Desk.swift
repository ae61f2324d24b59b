import GRDB
package import Relay

// What whoever runs it asks. The store's thread is asked part by part, so that commits and claims go between; dead
// letters and delivered profiles are read from the file on a thread of their own.

extension SQLiteOutbox: OutboxDesk {
    package func survey(_ filter: DeskFilter, limit: Int) async throws(DeskError) -> DeskSurvey {
        // Whoever asks may be on a loop that delivers: nothing is put in order there.
        let task = Task.detached { [self] () async -> Result<DeskSurvey, DeskError> in
            do throws(DeskError) { return .success(try await look(filter, limit: limit)) } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }

    /// The store's thread is asked for one part of an app after the other, and for the items by few; what comes back is
    /// put in order here.
    private func look(_ filter: DeskFilter, limit: Int) async throws(DeskError) -> DeskSurvey {
        var survey = DeskSurvey()
        if !filter.states.isSubset(of: [.dead]) {
            var oldest = Oldest(limit)
            for app in try await onStore({ $0.ledger.apps.keys.sorted() }) {
                for part in 0..<AppLedger.partCount {
                    let found = try await onStore { [before = oldest.bound] store in
                        store.ledger.survey(filter, of: app, part: part, before: before, at: store.settings.clock())
                    }
                    survey.counts.merge(found.counts, uniquingKeysWith: +)
                    oldest.add(found.old)
                }
            }
            var rest = oldest.sorted[...]
            while !rest.isEmpty {
                let some = rest.prefix(256)
                survey.items += try await onStore { $0.ledger.items(of: some, filter, at: $0.settings.clock()) }
                rest = rest.dropFirst(some.count)
            }
        }
        if filter.states.contains(.dead) {
            let now = settings.clock()
            survey.add(try await read { try DeadLetter.survey(filter, limit: limit, at: now, in: $0) }, limit: limit)
        }
        return survey
    }

    package func show(
        _ wanted: DeskProfileName, pausedApps: Set<String>
    ) async throws(DeskError) -> [DeskProfile] {
        let found = try await profiles(wanted.references, pausedApps)
        guard found.isEmpty else { return found }
        // Perhaps it is what stands in the log for it.
        return try await profiles(
            try await read { try ProfileRow.references(matching: wanted, in: $0) }, pausedApps)
    }

    private func profiles(
        _ references: [ProfileReference], _ pausedApps: Set<String>
    ) async throws(DeskError) -> [DeskProfile] {
        let apps = Set(settings.reassertAfter.keys).union(try await onStore { $0.appNames })
        let now = settings.clock()
        var profiles: [DeskProfile] = []
        for app in apps.sorted() {
            for reference in references {
                let letters = try await read { try DeadLetter.find(reference, of: app, at: now, in: $0) }
                let stored = try await read { try ProfileRow.find(reference, of: app, in: $0) }
                let isPaused = pausedApps.contains(app)
                if let profile = try await onStore({
                    $0.ledger.show(reference, of: app, isPaused: isPaused, stored, letters, at: $0.settings.clock())
                }) {
                    profiles.append(profile)
                }
            }
        }
        return profiles
    }

    package func change(
        _ change: DeskChange, _ filter: DeskFilter, from place: DeskPlace
    ) async throws(DeskError) -> DeskStep {
        var filter = filter
        filter.states.formIntersection(change.states)
        var step = DeskStep()
        var place = place
        let begun = place.begun ?? settings.clock()
        place.begun = begun
        if place.app != nil, filter.states.isSubset(of: [.dead]) {
            // Nothing that waits is meant, and none of it is gone through; what was settled before is in the file.
            place.app = nil
            try await onStore { _ in }
        }
        // Long enough that asking again costs little, short enough to show that it goes on.
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            if let app = place.app {
                let part = try await onStore { [filter, place] in
                    try $0.changeWaiting(change, filter, of: app, from: place)
                }
                step.changed += part.changed
                place = part.next ?? place
            } else {
                guard filter.states.contains(.dead) else { return step }
                let ids = try await read { [filter, place] in
                    try DeadLetter.ids(filter, after: place.letter, diedBy: begun, at: begun, limit: 256, in: $0)
                }
                guard let last = ids.last else { return step }
                let part = try await onStore { try $0.changeDead(change, ids.matching) }
                step.changed += part.changed
                step.superseded += part.superseded
                place.letter = last
            }
        }
        step.next = place
        return step
    }

    package func backup(to path: String) async throws(DeskError) -> Int {
        try await aside { [self] in try backUp(self.path, to: path) }
    }

    package var trouble: OutboxFailure? { failure }

    package var fileBytes: Int { fileSize(path) + fileSize(path + "-wal") }

    /// Asks the store, in its turn.
    private func onStore<Answer: Sendable>(
        _ work: @escaping @Sendable (Store) throws -> Answer
    ) async throws(DeskError) -> Answer {
        let result: Result<Answer, DeskError> = await ask(or: .failure(.outbox(.closed))) { mail, answer in
            mail.errands.append { store in answer.resume(returning: Result { try work(store) }.mapError(DeskError.init))
            }
        }
        return try result.get()
    }

    /// Reads the file as it is at this moment; what the store has in memory alone is not in it.
    private func read<Answer: Sendable>(
        _ work: @escaping @Sendable (Database) throws -> Answer
    ) async throws(DeskError) -> Answer {
        try await aside { [path] in
            let queue = try DatabaseQueue(path: path, configuration: OutboxFile.readerConfiguration)
            defer { try? queue.close() }
            return try queue.read(work)
        }
    }

    /// Runs what takes a while on a thread of its own.
    private func aside<Answer: Sendable>(
        _ work: @escaping @Sendable () throws -> Answer
    ) async throws(DeskError) -> Answer {
        let result: Result<Answer, DeskError> = await withCheckedContinuation { answer in
            do {
                try startThread("outbox desk") {
                    answer.resume(returning: Result { try work() }.mapError(DeskError.init))
                }
            } catch {
                answer.resume(returning: .failure(DeskError(error)))
            }
        }
        return try result.get()
    }
}

extension DeskError {
    init(_ error: any Error) {
        self = error as? DeskError ?? .outbox(WriteFailure(error).failure)
    }
}

extension DeskSurvey {
    /// Keeps the oldest.
    mutating func add(_ other: DeskSurvey, limit: Int) {
        counts.merge(other.counts, uniquingKeysWith: +)
        guard !other.items.isEmpty else { return }
        items = Array((items + other.items).sorted { $0.age > $1.age }.prefix(limit))
    }
}
