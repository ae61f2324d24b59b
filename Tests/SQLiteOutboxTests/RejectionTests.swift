import Relay
import Testing

@testable import SQLiteOutbox

private let poison = FieldRejection(
    Failure(status: 400, code: "validation_error", message: "facebook_anonymous_id: too long"),
    .named(IdentifierSet(.facebookAnonymousID)), answer: UpstreamAnswer(status: 400, body: Array("{\"word\":1}".utf8)))
private let unnamed = FieldRejection(rejection, .unnamed)

@Suite("What Adapty refuses")
struct RejectionTests {
    private let ledger = Ledger(settings: .atNoon)

    // Regression: one field that Adapty refused took those merged with it into the dead letter.
    @Test("only the named field dies; the rest goes at once, and alone")
    func named() {
        merge(patch("ann", [.facebookAnonymousID: "POISON", .appsflyerID: "1"]))
        #expect(settle(claim(), as: .rejected(at: noon, poison)).map(\.field.identifier) == [.facebookAnonymousID])
        let rest = claim()
        #expect(rest.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "1"])])
        #expect(rest.map(\.attempts) == [0])
        _ = settle(rest, as: .applied(at: noon))
        #expect(claim().isEmpty && ledger.waitingCount == 0)
    }

    @Test("where no field is named they go one by one, and only the refused one dies")
    func oneByOne() {
        merge(patch("ann", [.appsflyerID: "1", .branchID: "POISON", .pushwooshHWID: "3"]))
        #expect(settle(claim(), as: .rejected(at: noon, unnamed)).isEmpty)
        var sent: [IntegrationIdentifiers] = []
        var dead: [Identifier] = []
        while case let deliveries = claim(), let delivery = deliveries.first {
            sent.append(delivery.patch.identifiers)
            let isPoison = delivery.patch[.branchID] != nil
            let settlement = isPoison ? Settlement.rejected(at: noon, unnamed) : .applied(at: noon)
            dead += settle(deliveries, as: settlement).map(\.field.identifier)
        }
        #expect(sent.map(\.count) == [1, 1, 1] && dead == [.branchID])
        merge(patch("ann", [.adjustDeviceID: "4", .airbridgeDeviceID: "5"]))
        #expect(claim().map(\.patch.fields.count) == [2])
    }

    // Regression: fifty events of one refused value made fifty requests and fifty dead letters.
    @Test("a refused value said again is unchanged, and counted; another value is tried")
    func remembered() {
        merge(patch("ann", [.branchID: "POISON"]))
        _ = settle(claim(), as: .rejected(at: noon, unnamed))
        for seconds in 1...50 {
            let again = merge(patch("ann", [.branchID: "POISON"], at: noon + .seconds(seconds)))
            #expect(again.kind == .unchangedApplied && again.refusal?.answer.status == 400)
        }
        #expect(claim().isEmpty)
        #expect(ledger.entry(of: user("ann"), in: "main")?.state.rare.rejected.map(\.count) == [51])
        #expect(merge(patch("ann", [.branchID: "good"], at: noon + .seconds(60))) == .accepted)
        _ = settle(claim(), as: .applied(at: noon))
        #expect(merge(patch("ann", [.branchID: "POISON"], at: noon + .seconds(61))) == .accepted)
    }

    @Test("a caller that brings a refused value hears of it at once, and its other fields go on")
    func callerHearsFromMemory() {
        merge(patch("ann", [.facebookAnonymousID: "POISON"]))
        _ = settle(claim(), as: .rejected(at: noon, poison))
        let both = merge(patch("ann", [.facebookAnonymousID: "POISON", .branchID: "b"]), awaitedBy: 7)
        #expect(both.kind == .accepted && both.refusal?.answer == poison.answer)
        let deliveries = claim()
        #expect(deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "b"])])
        #expect(deliveries.flatMap(\.awaiting).isEmpty)
    }

    @Test("a caller is not told of another sender's refused value, but of what became of its own")
    func callersOfOthers() {
        merge(patch("ann", [.facebookAnonymousID: "POISON"]))
        merge(patch("ann", [.branchID: "b"]), awaitedBy: 7)
        let first = claim()
        #expect(first.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
        #expect(first.flatMap { $0.callers(ofRejection: poison) }.isEmpty)
        _ = settle(first, as: .rejected(at: noon, poison))
        let second = claim()
        #expect(second.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
        #expect(second.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "b"])])
    }

    // Found by reading: what an app's own settings refused stayed refused when they had changed.
    @Test("what was never sent is a dead letter, and is tried again when it comes again")
    func neverSent() {
        let ours = FieldRejection(Failure(status: nil, code: "bad_profile", message: "not ASCII"), .all)
        merge(patch("ann", [.branchID: "b"]))
        #expect(settle(claim(), as: .rejected(at: noon, ours)).map(\.answer) == [nil])
        #expect(merge(patch("ann", [.branchID: "b"])) == .accepted)
    }

    @Test("a caller that asked for what was on its way is answered by what goes once more, though others wait too")
    func lateCallerBesideOthers() {
        merge(patch("ann", [.branchID: "b"]))
        let first = claim()
        merge(patch("ann", [.branchID: "b"]), awaitedBy: 7)
        merge(patch("ann", [.appsflyerID: "1"]))
        _ = settle(first, as: .applied(at: noon))
        let second = claim()
        #expect(second.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "b", .appsflyerID: "1"])])
        #expect(second.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
    }

    @Test("a value that a newer one has replaced on its way leaves no dead letter")
    func superseded() {
        merge(patch("ann", [.branchID: "POISON"]))
        let deliveries = claim()
        merge(patch("ann", [.branchID: "good"], at: noon + .seconds(1)))
        #expect(settle(deliveries, as: .rejected(at: noon, unnamed)).isEmpty)
        #expect(claim().map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "good"])])
    }

    private func claim() -> [Delivery] { ledger.claim(1, of: "main", at: noon).deliveries }

    private func settle(_ deliveries: [Delivery], as settlement: Settlement) -> [DeadLetter] {
        deliveries.flatMap { ledger.settle($0, as: settlement, at: noon) }
    }

    @discardableResult
    private func merge(_ patch: Patch, awaitedBy request: UInt64? = nil) -> Disposition {
        let one = submission(patch, id: request ?? 0, isAwaited: request != nil)
        let arrival = Arrival(
            one.patches[0], of: one, sequence: ledger.unfolded.last + 1, mostAhead: .seconds(86_400))
        ledger.unfolded.last += 1
        defer { ledger.keep() }
        return ledger.merge(arrival, at: noon)
    }
}

@Suite("Dead letters in the file")
struct DeadLetterTests {
    private let scratch = Scratch()

    private func open() throws -> SQLiteOutbox {
        try SQLiteOutbox(path: scratch.file, settings: .atNoon) { _ in }
    }

    private func refuse(_ value: String, in outbox: SQLiteOutbox, at: Timestamp = noon) async throws {
        _ = try await outbox.append(submission(patch("ann", [.branchID: value], at: at)))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .rejected(at: noon, unnamed))
    }

    private func letters() throws -> [String] {
        try query(
            scratch.file, "SELECT field || ' ' || field_value || ' ' || count FROM dead_letter ORDER BY field",
            as: String.self)
    }

    @Test("one for each profile and field, with a count; after a start the value is still refused")
    func oneForEachField() async throws {
        let outbox = try open()
        try await refuse("POISON", in: outbox)
        for _ in 0..<49 {
            #expect(try await outbox.append(submission(patch("ann", [.branchID: "POISON"])))[0].refusal != nil)
        }
        #expect(await outbox.census().map(\.deadLetters) == [1])
        await outbox.close()
        #expect(try letters() == ["branch_id POISON 50"])
        let again = try open()
        let disposition = try await again.append(submission(patch("ann", [.branchID: "POISON"])))
        #expect(disposition.map(\.kind) == [.unchangedApplied])
        #expect(disposition[0].refusal?.answer.status == 400)
        #expect(await again.claim(9, of: "main", at: noon).deliveries.isEmpty)
        await again.close()
        #expect(try letters() == ["branch_id POISON 51"])
    }

    @Test("another refused value takes the place of the first, and counts anew")
    func replaced() async throws {
        let outbox = try open()
        try await refuse("POISON", in: outbox)
        try await refuse("VENOM", in: outbox, at: noon + .seconds(1))
        #expect(await outbox.census().map(\.deadLetters) == [1])
        await outbox.close()
        #expect(try letters() == ["branch_id VENOM 1"])
    }

    @Test("a batch of a refused value and a new one counts the refused value once")
    func batch() async throws {
        let outbox = try open()
        try await refuse("POISON", in: outbox)
        let both = submission(patch("ann", [.branchID: "POISON"]), patch("bob", [.branchID: "b"]))
        #expect(outbox.recognize(both) == nil)
        #expect(try await outbox.append(both).map(\.kind) == [.unchangedApplied, .accepted])
        await outbox.close()
        #expect(try letters() == ["branch_id POISON 2"])
    }

    @Test("replay and discard forget what is refused: it is tried again", arguments: [DeskChange.replay, .discard])
    func forgotten(change: DeskChange) async throws {
        let outbox = try open()
        try await refuse("POISON", in: outbox)
        var filter = DeskFilter()
        filter.states = [.dead]
        #expect(try await outbox.change(change, filter, from: DeskPlace()).changed == 1)
        if change == .discard {
            #expect(try await outbox.append(submission(patch("ann", [.branchID: "POISON"]))) == [.accepted])
        }
        let deliveries = await outbox.claim(9, of: "main", at: noon).deliveries
        #expect(deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "POISON"])])
        #expect(await outbox.census().map(\.deadLetters) == [0])
        await outbox.close()
    }

    @Test("retention forgets what is refused together with its dead letter")
    func retained() async throws {
        let clock = HandClock()
        var settings = clock.settings
        settings.trimEvery = .milliseconds(5)
        let outbox = try SQLiteOutbox(path: scratch.file, settings: settings) { _ in }
        try await refuse("POISON", in: outbox)
        clock.advance(by: .seconds(31 * 86_400))
        let deadline = ContinuousClock.now + .seconds(20)
        while await outbox.census().map(\.deadLetters) != [0], .now < deadline { await Task.yield() }
        #expect(try await outbox.append(submission(patch("ann", [.branchID: "POISON"]))) == [.accepted])
        await outbox.close()
    }
}
