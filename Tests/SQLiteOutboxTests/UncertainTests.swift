import Relay
import Testing

@testable import SQLiteOutbox

@Suite("An attempt whose end nobody knows")
struct UncertainTests {
    private let ledger = Ledger(settings: .atNoon)

    // Regression: an attempt that timed out here and was applied later put the old value over the newer one.
    @Test("what is newest goes once more when the older value cannot come any more")
    func resends() {
        merge("old", at: 0)
        settle(claim(at: 0), as: .retry(at: noon + .seconds(2), outage, uncertainUntil: noon + .seconds(60)), at: 0)
        merge("new", at: 1)
        let second = claim(at: 2)
        #expect(values(second) == ["new"])
        settle(second, as: .applied(at: noon + .seconds(2)), at: 2)
        #expect(claim(at: 59).isEmpty)
        #expect(ledger.claim(0, of: "main", at: noon + .seconds(59)).nextDue == noon + .seconds(60))
        let third = claim(at: 60)
        #expect(values(third) == ["new"])
        settle(third, as: .applied(at: noon + .seconds(60)), at: 60)
        #expect(claim(at: 3600).isEmpty && ledger.waitingCount == 0)
    }

    @Test("where the retry sent the same value, nothing has to go again")
    func sameValue() {
        merge("one", at: 0)
        settle(claim(at: 0), as: .retry(at: noon + .seconds(2), outage, uncertainUntil: noon + .seconds(60)), at: 0)
        settle(claim(at: 2), as: .applied(at: noon + .seconds(2)), at: 2)
        #expect(ledger.waitingCount == 0 && claim(at: 60).isEmpty)
    }

    @Test("a value that comes later, and within the time, is followed by itself once more")
    func laterValue() {
        merge("one", at: 0)
        settle(claim(at: 0), as: .retry(at: noon + .seconds(2), outage, uncertainUntil: noon + .seconds(60)), at: 0)
        settle(claim(at: 2), as: .applied(at: noon + .seconds(2)), at: 2)
        merge("two", at: 30)
        settle(claim(at: 30), as: .applied(at: noon + .seconds(30)), at: 30)
        #expect(values(claim(at: 60)) == ["two"])
    }

    @Test("one that came after the time is sent once")
    func afterwards() {
        merge("one", at: 0)
        settle(claim(at: 0), as: .retry(at: noon + .seconds(2), outage, uncertainUntil: noon + .seconds(60)), at: 0)
        settle(claim(at: 2), as: .applied(at: noon + .seconds(2)), at: 2)
        merge("two", at: 61)
        settle(claim(at: 61), as: .applied(at: noon + .seconds(61)), at: 61)
        #expect(ledger.waitingCount == 0 && claim(at: 7200).isEmpty)
    }

    @Test("what comes while it waits to be sent once more goes at once")
    func doesNotWaitWithIt() {
        merge("old", at: 0)
        settle(claim(at: 0), as: .retry(at: noon + .seconds(2), outage, uncertainUntil: noon + .seconds(60)), at: 0)
        merge("new", at: 1)
        settle(claim(at: 2), as: .applied(at: noon + .seconds(2)), at: 2)
        merge("newest", at: 10)
        let third = claim(at: 10)
        #expect(values(third) == ["newest"])
        settle(third, as: .applied(at: noon + .seconds(10)), at: 10)
        #expect(claim(at: 59).isEmpty && values(claim(at: 60)) == ["newest"])
    }

    @Test("what was given up by a stop, after it was sent, counts as such too")
    func abandoned() {
        merge("old", at: 0)
        settle(claim(at: 0), as: .abandoned(uncertainUntil: noon + .seconds(60)), at: 0)
        merge("new", at: 1)
        settle(claim(at: 2), as: .applied(at: noon + .seconds(2)), at: 2)
        #expect(values(claim(at: 60)) == ["new"])
    }

    private func values(_ deliveries: [Delivery]) -> [String] {
        deliveries.compactMap { delivery in
            if case .text(let text) = delivery.patch[.branchID]?.value { text } else { nil }
        }
    }

    private func claim(at seconds: Int) -> [Delivery] {
        ledger.claim(1, of: "main", at: noon + .seconds(seconds)).deliveries
    }

    private func settle(_ deliveries: [Delivery], as settlement: Settlement, at seconds: Int) {
        #expect(deliveries.count == 1)
        for delivery in deliveries { _ = ledger.settle(delivery, as: settlement, at: noon + .seconds(seconds)) }
    }

    private func merge(_ value: String, at seconds: Int) {
        let one = submission(patch("ann", [.branchID: value], at: noon + .seconds(seconds)))
        ledger.unfolded.last += 1
        let arrival = Arrival(one.patches[0], of: one, sequence: ledger.unfolded.last, mostAhead: .seconds(86_400))
        #expect(ledger.merge(arrival, at: noon + .seconds(seconds)) == .accepted)
        ledger.keep()
    }
}

@Suite("Attempts of a process that ended")
struct UncertainAfterStartTests {
    private let scratch = Scratch()

    /// The values sent, each with when, until nothing waits; one attempt every second.
    private func deliver(_ outbox: SQLiteOutbox, _ clock: HandClock, seconds: Int) async throws -> [String] {
        var sent: [String] = []
        for _ in 0..<seconds {
            let claim = await outbox.claim(9, of: "main", at: clock.now)
            for delivery in claim.deliveries {
                guard case .text(let text) = delivery.patch[.branchID]?.value else { continue }
                sent.append("\(text) \(Int((clock.now - noon) / .seconds(1)))")
                outbox.settle(delivery, as: .applied(at: clock.now))
            }
            clock.advance(by: .seconds(1))
        }
        return sent
    }

    @Test("after a crash what waited goes once more when no attempt from before it can be taken any more")
    func crashed() async throws {
        let clock = HandClock()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.branchID: "old"])))
        _ = await outbox.claim(9, of: "main", at: clock.now)
        _ = try await outbox.append(submission(patch("ann", [.branchID: "new"], at: noon + .seconds(1))))
        for part in ["", "-wal"] { copyFile(scratch.file + part, scratch.path + "/copy.db" + part) }
        let again = try SQLiteOutbox(path: scratch.path + "/copy.db", settings: clock.settings) { _ in }
        #expect(try await deliver(again, clock, seconds: 100) == ["new 0", "new 60"])
        await again.close()
        await outbox.close()
    }

    // Found by reading: a row that was up to date was not written again when its attempt was given up.
    @Test("what a stop gave up is known after the start, also where nothing else of it had changed")
    func givenUpLate() async throws {
        let clock = HandClock()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        _ = try await outbox.append(submission(patch("ann", [.branchID: "old"])))
        let claim = await outbox.claim(9, of: "main", at: clock.now)
        await outbox.fold()
        outbox.settle(claim.deliveries[0], as: .abandoned(uncertainUntil: noon + .seconds(60)))
        await outbox.close()
        clock.advance(by: .seconds(5))
        let again = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        _ = try await again.append(submission(patch("ann", [.branchID: "new"], at: noon + .seconds(1))))
        #expect(try await deliver(again, clock, seconds: 100) == ["new 5", "new 60"])
        await again.close()
    }

    @Test("after a stop nothing is sent twice but what was given up on its way, and that is known")
    func stopped() async throws {
        let clock = HandClock()
        let outbox = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        for name in ["ann", "bob"] { _ = try await outbox.append(submission(patch(name, [.branchID: name]))) }
        let claim = await outbox.claim(9, of: "main", at: clock.now)
        outbox.settle(claim.deliveries[0], as: .abandoned(uncertainUntil: noon + .seconds(60)))
        outbox.settle(claim.deliveries[1], as: .released)
        await outbox.close()
        clock.advance(by: .seconds(10))
        let again = try SQLiteOutbox(path: scratch.file, settings: clock.settings) { _ in }
        #expect(try await deliver(again, clock, seconds: 100).sorted() == ["ann 10", "ann 60", "bob 10"])
        await again.close()
    }
}
