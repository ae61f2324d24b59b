import GRDB
import Glibc
import Relay
import SQLiteOutbox
import Testing

@Suite("The desk")
struct DeskTests {
    private let scratch = Scratch()
    private let clock = HandClock()

    /// One of each: dead, missing, retrying, in flight, waiting; a minute apart.
    private func everyState() async throws -> SQLiteOutbox {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        for name in ["dead", "missing", "retrying", "flying", "waiting"] {
            _ = try await outbox.append(submission(patch(name, [.appsflyerID: "v-\(name)"])))
            clock.advance(by: .seconds(60))
        }
        let now = clock.now
        let claimed = await outbox.claim(4, of: "main", at: now).deliveries
        outbox.settle(claimed[0], as: .dead(at: now, rejection))
        outbox.settle(claimed[1], as: .missing(retryAt: now + .seconds(60), noProfile, told: []))
        outbox.settle(claimed[2], as: .retry(at: now + .seconds(60), outage))
        _ = await outbox.census()
        return outbox
    }

    private func names(_ outbox: SQLiteOutbox, _ change: (inout DeskFilter) -> Void = { _ in }) async throws -> [String]
    {
        var filter = DeskFilter()
        change(&filter)
        return try await outbox.survey(filter, limit: 100).items.map(\.profile.value)
    }

    private func all(
        _ change: DeskChange, in outbox: SQLiteOutbox, _ narrow: (inout DeskFilter) -> Void = { _ in }
    ) async throws -> (changed: Int, superseded: Int) {
        var filter = DeskFilter()
        narrow(&filter)
        var (changed, superseded) = (0, 0)
        var place: DeskPlace? = DeskPlace()
        while let from = place {
            let step = try await outbox.change(change, filter, from: from)
            changed += step.changed
            superseded += step.superseded
            place = step.next
        }
        return (changed, superseded)
    }

    @Test("counts what is undelivered by state and error, and lists the oldest first")
    func survey() async throws {
        let outbox = try await everyState()
        let survey = try await outbox.survey(DeskFilter(), limit: 2)
        let counts = survey.counts.map { "\($0.key.state.rawValue) \($0.key.error) \($0.value)" }.sorted()
        #expect(
            counts == [
                "dead validation_error 1", "in_flight  1", "missing profile_not_found 1", "retrying unavailable 1",
                "waiting  1",
            ])
        #expect(survey.items.map(\.profile) == [user("missing"), user("retrying")])
        #expect(survey.items.map(\.age) == [.seconds(240), .seconds(180)])
        #expect(survey.items.map(\.next) == [.seconds(60), .seconds(60)])
        #expect(survey.items.map(\.attempts) == [1, 1])
        await outbox.close()
    }

    @Test(
        "a list as long as may be is the oldest of all, in order, whatever is asked for",
        arguments: [0, 1, 7, 300, 5000])
    func oldest(limit: Int) async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        for number in 0..<600 {
            _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"])))
            clock.advance(by: .milliseconds(number % 3))
        }
        let survey = try await outbox.survey(DeskFilter(), limit: limit)
        #expect(survey.total == 600 && survey.items.count == min(limit, 600))
        let all = try await outbox.survey(DeskFilter(), limit: 600).items.map(\.age)
        #expect(survey.items.map(\.age) == Array(all.prefix(limit)) && all == all.sorted(by: >))
        await outbox.close()
    }

    @Test("a place from outside is checked before it is gone to", arguments: [-1, 64, .max, .min])
    func madeUpPlace(part: Int) async throws {
        let outbox = try await everyState()
        for change in [DeskChange.replay, .discard] {
            var place = DeskPlace()
            place.begun = Timestamp(milliseconds: .max)
            place.app = "main"
            place.part = part
            await #expect(throws: DeskError.noPlace) { try await outbox.change(change, DeskFilter(), from: place) }
        }
        for begun in [Int64.min, .max] {
            var place = DeskPlace()
            place.begun = Timestamp(milliseconds: begun)
            place.app = nil
            place.letter = String(repeating: "z", count: 5000)
            #expect(try await outbox.change(.replay, DeskFilter(), from: place).changed == 0)
        }
        await outbox.close()
    }

    @Test("lets through what a filter says, in memory and in the file")
    func filters() async throws {
        let outbox = try await everyState()
        #expect(try await names(outbox) { $0.states = [.dead, .waiting] } == ["waiting", "dead"])
        #expect(try await names(outbox) { $0.error = "validation_error" } == ["dead"])
        #expect(try await names(outbox) { $0.error = "unavailable" } == ["retrying"])
        #expect(try await names(outbox) { $0.app = "other" } == [])
        #expect(try await names(outbox) { $0.origin = "appsflyer" }.count == 5)
        #expect(try await names(outbox) { $0.origin = "onesignal" } == [])
        #expect(try await names(outbox) { $0.olderThan = .seconds(180) } == ["missing", "retrying"])
        #expect(try await names(outbox) { $0.newerThan = .seconds(60) } == ["waiting", "dead"])
        let hash = DeskProfileName("#flying") { "#" + $0.value }
        #expect(try await names(outbox) { $0.profile = hash } == ["flying"])
        #expect(try await names(outbox) { ($0.pausedApps, $0.states) = (["main"], [.paused]) }.count == 3)
        await outbox.close()
    }

    @Test("replays dead letters durably, and makes what is to be tried later due now")
    func replay() async throws {
        let outbox = try await everyState()
        #expect(await outbox.claim(9, of: "main", at: clock.now).deliveries.map(\.profile) == [user("waiting")])
        #expect(try await all(.replay, in: outbox) == (3, 0))
        #expect(await outbox.census().map(\.deadLetters) == [0])
        for suffix in ["", "-wal"] { copyFile(scratch.file + suffix, scratch.copy + suffix) }
        let due = await outbox.claim(9, of: "main", at: clock.now).deliveries.map(\.profile.value)
        #expect(Set(due) == ["dead", "missing", "retrying"])
        await outbox.close()
        let copy = try SQLiteOutbox(path: scratch.copy, settings: clock.settings) { _ in }
        #expect(
            await copy.claim(9, of: "main", at: clock.now).deliveries.contains {
                $0.profile == user("dead") && $0.patch.identifiers == IntegrationIdentifiers([.appsflyerID: "v-dead"])
            })
        await copy.close()
    }

    @Test("a dead letter sets nothing back: what is known newer stays, and is not sent for it")
    func superseded() async throws {
        let outbox = try await everyState()
        let newer = submission(patch("dead", [.appsflyerID: "newer"], at: noon + .seconds(1)))
        _ = try await outbox.append(newer)
        #expect(try await all(.replay, in: outbox) { $0.states = [.dead] } == (0, 1))
        let claimed = await outbox.claim(9, of: "main", at: clock.now).deliveries.filter { $0.profile == user("dead") }
        #expect(claimed.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "newer"])])
        #expect(try await names(outbox) { $0.states = [.dead] } == [])
        await outbox.close()
    }

    @Test("discards what waits and what is dead, also for a start after a crash; what is in flight goes on")
    func discard() async throws {
        let outbox = try await everyState()
        #expect(try await all(.discard, in: outbox) == (4, 0))
        #expect(await outbox.census() == [Census(app: "main", waiting: 1, oldestAge: .seconds(120))])
        for suffix in ["", "-wal"] { copyFile(scratch.file + suffix, scratch.copy + suffix) }
        await outbox.close()
        let copy = try SQLiteOutbox(path: scratch.copy, settings: clock.settings) { _ in }
        #expect(
            await copy.claim(9, of: "main", at: .init(milliseconds: .max)).deliveries.map(\.profile) == [user("flying")]
        )
        #expect(await copy.census().map(\.deadLetters) == [0])
        // The profile itself is not forbidden.
        #expect(try await copy.append(submission(patch("waiting", [.appsflyerID: "again"]))) == [.accepted])
        await copy.close()
    }

    @Test("where a discard cannot be written, nothing is discarded")
    func discardFails() async throws {
        let outbox = try await everyState()
        await outbox.fold()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: scratch.file, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let before = await outbox.census()
        await #expect(throws: DeskError.self) { try await all(.discard, in: outbox) }
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try other.close()
        #expect(await outbox.census() == before)
        let due = await outbox.claim(9, of: "main", at: clock.now + .seconds(60)).deliveries.map(\.profile.value)
        #expect(Set(due) == ["missing", "retrying", "waiting"])
        await outbox.close()
    }

    @Test("shows what waits, what is applied and what is dead of a profile, by its id or its name in the log")
    func show() async throws {
        let outbox = try await everyState()
        let applied = await outbox.claim(1, of: "main", at: clock.now)
        try settleAll(applied, in: outbox, as: .applied(at: clock.now))
        await outbox.fold()
        func shown(_ text: String, pausedApps: Set<String> = []) async throws -> DeskProfile? {
            try await outbox.show(DeskProfileName(text) { "#" + $0.value }, pausedApps: pausedApps).first
        }
        for name in ["waiting", "#waiting"] {
            let profile = try await shown(name)
            #expect(profile?.undelivered == nil && profile?.applied.map(\.field.value) == [.text("v-waiting")])
        }
        let retrying = try await shown("retrying")
        #expect(retrying?.undelivered?.failure == outage && retrying?.waiting.fields.count == 1)
        #expect(retrying?.undelivered?.state == .retrying)
        #expect(try await shown("retrying", pausedApps: ["main"])?.undelivered?.state == .paused)
        let dead = try await shown("dead")
        #expect(dead?.deadLetters.map(\.identifiers) == [IntegrationIdentifiers([.appsflyerID: "v-dead"])])
        #expect(try await shown("nobody") == nil)
        await outbox.close()
    }

    @Test("ten thousand dead letters are replayed in steps, and accepts go between")
    func many() async throws {
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        let patches = (0..<10_000).map { patch("u\($0)", [.appsflyerID: "1"]) }
        _ = try await outbox.append(
            Submission(id: UniqueID(high: 0, low: 0), app: "main", origin: "o", patches: patches, received: noon))
        for delivery in await outbox.claim(10_000, of: "main", at: noon).deliveries {
            outbox.settle(delivery, as: .dead(at: noon, rejection))
        }
        async let replayed = all(.replay, in: outbox)
        for number in 0..<50 {
            #expect(try await outbox.append(submission(patch("new\(number)", [.appsflyerID: "1"]))) == [.accepted])
        }
        #expect(try await replayed == (10_000, 0))
        #expect(await outbox.census().map { [$0.waiting, $0.deadLetters] } == [[10_050, 0]])
        await outbox.close()
    }

    @Test("a backup of an outbox at work is whole, its owner's alone, and delivers what was undelivered")
    func backup() async throws {
        let outbox = try await everyState()
        let copy = scratch.path + "/backup.db"
        let writer = Task {
            for number in 0..<200 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        }
        let bytes = try await outbox.backup(to: copy)
        try await writer.value
        var status = stat()
        #expect(stat(copy, &status) == 0 && status.st_size == bytes && status.st_mode & 0o777 == 0o600)
        #expect(try query(copy, "PRAGMA integrity_check", as: String.self) == ["ok"])
        await #expect(throws: DeskError.refused("\(copy) is there already, and nothing is overwritten")) {
            try await outbox.backup(to: copy)
        }
        await #expect(throws: DeskError.self) { try await outbox.backup(to: scratch.path + "/no/such/place.db") }
        await outbox.close()
        let again = try SQLiteOutbox(path: copy, settings: clock.settings) { _ in }
        let due = await again.claim(999, of: "main", at: clock.now + .seconds(60)).deliveries.map(\.profile.value)
        #expect(Set(due).isSuperset(of: ["missing", "retrying", "flying", "waiting"]))
        #expect(await again.census().map(\.deadLetters) == [1])
        await again.close()
    }
}
