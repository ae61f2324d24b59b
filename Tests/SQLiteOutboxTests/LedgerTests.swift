import Relay
import Testing

@testable import SQLiteOutbox

@Suite("The ledger")
struct LedgerTests {
    private let ledger = Ledger(settings: .atNoon)

    @Test("takes turns between what is fresh and what failed before, when both are due")
    func fairness() {
        for number in 0..<4 { merge(patch("old\(number)", [.appsflyerID: "1"])) }
        settle(claim(4), as: .retry(at: noon, outage))
        for number in 0..<4 { merge(patch("new\(number)", [.appsflyerID: "1"])) }
        let names = claim(8).map(\.profile.value)
        #expect(Set(names.prefix(2).map { $0.prefix(3) }) == ["old", "new"])
        for pair in stride(from: 0, to: 8, by: 2) {
            #expect(Set(names[pair..<pair + 2].map { $0.prefix(3) }) == ["old", "new"])
        }
        #expect(names.filter { $0.hasPrefix("new") } == ["new0", "new1", "new2", "new3"])
    }

    @Test("recognizes nothing that may yet be taken back")
    func uncommitted() {
        func arrival(_ values: [Identifier: String], _ sequence: Int64) -> Arrival {
            let one = submission(patch("ann", values))
            return Arrival(one.patches[0], of: one, sequence: sequence, mostAhead: .zero)
        }
        let (first, second) = (arrival([.appsflyerID: "1"], 1), arrival([.branchID: "2"], 2))
        #expect(ledger.recognize(first, at: noon) == nil)
        _ = ledger.merge(first, at: noon)
        #expect(ledger.recognize(first, at: noon) == nil)
        ledger.keep()
        #expect(ledger.recognize(first, at: noon) == .unchangedWaiting)
        _ = ledger.merge(second, at: noon)
        #expect(ledger.recognize(first, at: noon) == nil)
        ledger.undo(to: 0)
        #expect(ledger.recognize(first, at: noon) == .unchangedWaiting && ledger.recognize(second, at: noon) == nil)
    }

    @Test("tells a consumer once that something is due, and again when it has claimed")
    func tellsOnce() {
        merge(patch("ann", [.appsflyerID: "1"]))
        merge(patch("bob", [.appsflyerID: "1"]))
        #expect(ledger.takeAppsToTell() == ["main"])
        merge(patch("cid", [.appsflyerID: "1"]))
        #expect(ledger.takeAppsToTell().isEmpty)
        let deliveries = claim(9)
        // Later than what the consumer knows of: it will ask by itself.
        settle([deliveries[0]], as: .retry(at: noon + .seconds(60), outage))
        #expect(ledger.takeAppsToTell() == ["main"])
        #expect(ledger.claim(9, of: "main", at: noon).nextDue == noon + .seconds(60))
        settle([deliveries[1]], as: .retry(at: noon + .seconds(90), outage))
        #expect(ledger.takeAppsToTell().isEmpty)
        settle([deliveries[2]], as: .retry(at: noon + .seconds(30), outage))
        #expect(ledger.takeAppsToTell() == ["main"])
    }

    @Test("answers a caller that came while its value was on its way with a delivery of its own")
    func lateCaller() {
        merge(patch("ann", [.appsflyerID: "1"]))
        let first = claim(1)
        #expect(merge(patch("ann", [.appsflyerID: "1"]), awaitedBy: 7) == .unchangedWaiting)
        settle(first, as: .applied(at: noon))
        let second = claim(1)
        #expect(second.map(\.patch) == first.map(\.patch))
        #expect(second.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
        settle(second, as: .applied(at: noon))
        #expect(claim(1).isEmpty && ledger.waitingCount == 0)
    }

    @Test("sends what a caller waits for at once, though an attempt failed before")
    func awaitedIsDue() {
        merge(patch("ann", [.appsflyerID: "1"]))
        settle(claim(1), as: .retry(at: noon + .seconds(3600), outage))
        merge(patch("ann", [.branchID: "2"]))
        #expect(claim(1).isEmpty)
        merge(patch("ann", [.adjustDeviceID: "3"]), awaitedBy: 7)
        #expect(claim(1).map(\.attempts) == [1])
    }

    @Test("knows when the first counted attempt failed, until the wait ends")
    func failingSince() {
        merge(patch("ann", [.appsflyerID: "1"]))
        func attempt(after seconds: Int, _ settlement: Settlement) -> Timestamp? {
            let now = noon + .seconds(seconds)
            let deliveries = ledger.claim(1, of: "main", at: now).deliveries
            settle(deliveries, as: settlement, at: now)
            return deliveries.first?.failingSince
        }
        #expect(attempt(after: 10, .released) == nil)
        #expect(attempt(after: 20, .missing(retryAt: noon, noProfile, told: [])) == nil)
        #expect(attempt(after: 30, .released) == noon + .seconds(20))
        merge(patch("ann", [.appsflyerID: "2"], at: noon + .seconds(1)))
        #expect(attempt(after: 40, .retry(at: noon, outage)) == noon + .seconds(20))
        #expect(attempt(after: 50, .applied(at: noon)) == noon + .seconds(20))
        merge(patch("ann", [.appsflyerID: "3"], at: noon + .seconds(2)))
        #expect(attempt(after: 60, .retry(at: noon, outage)) == nil)
        #expect(attempt(after: 70, .applied(at: noon)) == noon + .seconds(60))
    }

    @Test("keeps what a caller brought who left before the answer, for it was told 202")
    func promisedIsKept() {
        merge(patch("ann", [.appsflyerID: "1"]), awaitedBy: 7)
        settle(claim(1), as: .missing(retryAt: noon + .seconds(60), noProfile, told: []))
        #expect(ledger.waitingCount == 1)
    }

    @Test("drops what a caller brought who heard of the missing profile after an attempt that failed otherwise")
    func retriedIsDropped() {
        merge(patch("ann", [.appsflyerID: "1"]), awaitedBy: 7)
        settle(claim(1), as: .retry(at: noon, outage))
        let again = claim(1)
        settle(
            again, as: .missing(retryAt: noon + .seconds(60), noProfile, told: again.flatMap(\.awaiting).map(\.request))
        )
        #expect(again.map(\.awaiting.count) == [1])
        #expect(ledger.waitingCount == 0)
    }

    @Test("remembers no more callers of one profile than a few, and keeps what the forgotten ones brought")
    func callersAreBounded() {
        for caller in 1...100 {
            merge(patch("ann", [.appsflyerID: "\(caller)"], at: noon + .seconds(caller)), awaitedBy: UInt64(caller))
        }
        let deliveries = claim(1)
        #expect(deliveries.map { $0.awaiting.count <= 16 } == [true])
        settle(deliveries, as: .missing(retryAt: noon, noProfile, told: deliveries.flatMap(\.awaiting).map(\.request)))
        #expect(ledger.waitingCount == 1)
    }

    @Test("keeps what somebody else said as well")
    func sharedIsKept() {
        merge(patch("ann", [.appsflyerID: "1"]), awaitedBy: 7)
        merge(patch("ann", [.appsflyerID: "older"], at: noon + .seconds(-5)))
        let deliveries = claim(1)
        settle(deliveries, as: .missing(retryAt: noon, noProfile, told: deliveries.flatMap(\.awaiting).map(\.request)))
        #expect(claim(1).map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "1"])])
    }

    @Test("forgets delivered profiles beyond the bound, oldest first, but none whose row is not written")
    func forgets() {
        var settings = OutboxSettings.atNoon
        settings.mostRemembered = 2
        let ledger = Ledger(settings: settings)
        for number in 0..<5 {
            let one = submission(patch("u\(number)", [.appsflyerID: "1"]))
            _ = ledger.merge(Arrival(one.patches[0], of: one, sequence: Int64(number + 1), mostAhead: .zero), at: noon)
        }
        ledger.keep()
        for delivery in ledger.claim(9, of: "main", at: noon).deliveries {
            _ = ledger.settle(delivery, as: .applied(at: noon), at: noon)
        }
        ledger.forget(at: noon)
        #expect(known(to: ledger) == 5)
        for (row, place) in ledger.unfolded.take(9, bytes: .max).enumerated() {
            ledger.markFolded(place.entry, into: Int64(row + 1))
        }
        for _ in 0..<3 { ledger.forget(at: noon) }
        #expect(known(to: ledger) == 2)
        #expect(ledger.entry(of: user("u4"), in: "main") != nil)
    }

    @Test("what is put in the order of rows, and partly back again, keeps the log that speaks of it")
    func arranged() {
        for number in 0..<100 { merge(patch("u\(number)", [.appsflyerID: "1"])) }
        #expect(ledger.unfolded.foldedThrough == 0)
        ledger.unfolded.arrange(60) { number, _ in number < 50 }
        var taken = ledger.unfolded.take(20, bytes: .max)
        #expect(ledger.unfolded.count == 80 && ledger.unfolded.foldedThrough == 0)
        ledger.unfolded.putBack(taken)
        taken = ledger.unfolded.take(50, bytes: .max)
        // Not in the order of arrival, and all of the first fifty.
        #expect(taken.map(\.sequence) != Array(1...50) && taken.map(\.sequence).sorted() == Array(1...50))
        #expect(ledger.unfolded.foldedThrough == 50)
        ledger.unfolded.arrange(30) { _, _ in true }
        let some = ledger.unfolded.take(10, bytes: .max).map(\.sequence)
        ledger.unfolded.disarrange()
        let left = Set(51...100).subtracting(some)
        #expect(ledger.unfolded.foldedThrough == (left.min() ?? 0) - 1)
        #expect(ledger.unfolded.take(100, bytes: .max).count == 40)
        #expect(ledger.unfolded.foldedThrough == 100)
    }

    @Test("puts everything back that is undone")
    func undo() {
        merge(patch("ann", [.appsflyerID: "1"]))
        let before = ledger.entry(of: user("ann"), in: "main")?.state.waiting
        let mark = ledger.undoMark
        for one in [
            submission(patch("ann", [.appsflyerID: "2"], at: noon + .seconds(1))),
            submission(patch("bob", [.appsflyerID: "3"])), submission(patch("bob", [.branchID: "4"])),
        ] {
            _ = ledger.merge(Arrival(one.patches[0], of: one, sequence: 9, mostAhead: .zero), at: noon)
        }
        #expect(ledger.waitingCount == 2)
        ledger.undo(to: mark)
        #expect(ledger.entry(of: user("ann"), in: "main")?.state.waiting == before)
        #expect(ledger.entry(of: user("bob"), in: "main") == nil)
        #expect(ledger.waitingCount == 1 && claim(9).count == 1)
    }

    private func known(to ledger: Ledger) -> Int {
        (0..<5).count { ledger.entry(of: user("u\($0)"), in: "main") != nil }
    }

    private func claim(_ limit: Int) -> [Delivery] { ledger.claim(limit, of: "main", at: noon).deliveries }

    private func settle(_ deliveries: [Delivery], as settlement: Settlement, at now: Timestamp = noon) {
        for delivery in deliveries { _ = ledger.settle(delivery, as: settlement, at: now) }
    }

    @discardableResult
    private func merge(_ patch: Patch, awaitedBy request: UInt64? = nil) -> Disposition {
        let one = submission(patch, id: request ?? 0, isAwaited: request != nil)
        ledger.unfolded.last += 1
        let arrival = Arrival(patch, of: one, sequence: ledger.unfolded.last, mostAhead: .seconds(86_400))
        defer { ledger.keep() }
        return ledger.merge(arrival, at: noon)
    }
}
