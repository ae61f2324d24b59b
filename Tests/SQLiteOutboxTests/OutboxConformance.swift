import Relay
import Testing

/// What every outbox must do. Each claim gets an outbox of its own, empty, and is run against every store.
/// The store's clock must stand at `noon`.
struct OutboxClaim: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let check: @Sendable (any Outbox, DueLog) async throws -> Void

    init(_ claim: String, _ check: @escaping @Sendable (any Outbox, DueLog) async throws -> Void) {
        testDescription = claim
        self.check = check
    }
}

let outboxConformance: [OutboxClaim] = [
    OutboxClaim("what is appended is delivered once") { outbox, due in
        #expect(try await outbox.append(submission(patch("ann", [.appsflyerID: "1"]))) == [.accepted])
        #expect(due.apps == ["main"])
        let claim = await outbox.claim(10, of: "main", at: noon)
        #expect(claim.deliveries.map(\.profile) == [user("ann")])
        #expect(claim.deliveries.first?.patch.identifiers == IntegrationIdentifiers([.appsflyerID: "1"]))
        #expect(claim.deliveries.first?.attempts == 0)
        #expect(claim.nextDue == nil && !claim.hasMore)
        try settleAll(claim, in: outbox, as: .applied(at: noon))
        #expect(await outbox.claim(10, of: "main", at: noon).deliveries.isEmpty)
        #expect(await outbox.census() == [Census(app: "main", waiting: 0)])
    },
    OutboxClaim("patches of one profile become one delivery, the newest time winning field by field") { outbox, _ in
        _ = try await outbox.append(
            submission(
                patch("ann", [.appsflyerID: "new", .branchID: "b"], at: noon + .seconds(2)),
                patch("ann", [.appsflyerID: "old", .adjustDeviceID: "a"], at: noon + .seconds(1)),
                received: noon + .seconds(3)))
        let claim = await outbox.claim(10, of: "main", at: noon + .seconds(3))
        #expect(
            claim.deliveries.map(\.patch.identifiers)
                == [IntegrationIdentifiers([.appsflyerID: "new", .branchID: "b", .adjustDeviceID: "a"])])
    },
    OutboxClaim("the same again is unchanged, waiting or applied") { outbox, _ in
        let same = submission(patch("ann", [.appsflyerID: "1"]))
        _ = try await outbox.append(same)
        #expect(try await outbox.append(same) == [.unchangedWaiting])
        try settleAll(await outbox.claim(10, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        #expect(try await outbox.append(same) == [.unchangedApplied])
        #expect(await outbox.claim(10, of: "main", at: noon).deliveries.isEmpty)
    },
    OutboxClaim("a delivery names the request and the origin of its newest change") { outbox, _ in
        func from(_ origin: String, _ id: UInt64, _ value: String) -> Submission {
            Submission(
                id: UniqueID(high: 1, low: id), app: "main", origin: origin,
                patches: [patch("ann", [.appsflyerID: value])], received: noon)
        }
        _ = try await outbox.append(from("vendor", 1, "1"))
        _ = try await outbox.append(from("app", 2, "2"))
        // Nothing new, so it brought nothing.
        _ = try await outbox.append(from("third", 3, "2"))
        let delivery = await outbox.claim(1, of: "main", at: noon).deliveries.first
        #expect(delivery?.origin == "app" && delivery?.request == UniqueID(high: 1, low: 2))
        #expect(delivery?.awaiting.isEmpty == true)
    },
    OutboxClaim("an event older than what is known changes nothing") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "new"])))
        let late = submission(patch("ann", [.appsflyerID: "old"], at: noon + .seconds(-1)))
        #expect(try await outbox.append(late) == [.unchangedWaiting])
        try settleAll(await outbox.claim(10, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        #expect(try await outbox.append(late) == [.unchangedApplied])
    },
    OutboxClaim("the same value said later makes an event in between late") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "a"], at: noon)))
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "a"], at: noon + .seconds(9))))
        let between = submission(patch("ann", [.appsflyerID: "b"], at: noon + .seconds(5)))
        #expect(try await outbox.append(between) == [.unchangedWaiting])
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        #expect(try await outbox.append(between) == [.unchangedApplied])
    },
    OutboxClaim("a vendor's time more than a day ahead of arrival does not count") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "wrong"], at: noon + .seconds(90_000))))
        let next = submission(patch("ann", [.appsflyerID: "right"], at: noon + .seconds(1)))
        #expect(try await outbox.append(next) == [.accepted])
    },
    OutboxClaim("where the vendor gives no time, the arrival counts") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"], at: nil), received: noon))
        let claim = await outbox.claim(1, of: "main", at: noon)
        #expect(claim.deliveries.first?.patch.fields.map(\.at) == [noon])
    },
    OutboxClaim("where the vendor gives no time, the later arrival wins also over a time ahead of ours") { outbox, _ in
        let untimed = ["b", "c", "d"].map { submission(patch("ann", [.appsflyerID: $0], at: nil)) }
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "a"], at: noon + .seconds(3600))))
        #expect(try await outbox.append(untimed[0]) == [.accepted])
        let claim = await outbox.claim(1, of: "main", at: noon)
        #expect(claim.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "b"])])
        #expect(try await outbox.append(untimed[1]) == [.accepted])
        try settleAll(claim, in: outbox, as: .applied(at: noon))
        let next = await outbox.claim(1, of: "main", at: noon)
        #expect(next.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "c"])])
        try settleAll(next, in: outbox, as: .applied(at: noon))
        #expect(try await outbox.append(untimed[1]) == [.unchangedApplied])
        #expect(try await outbox.append(untimed[2]) == [.accepted])
        // Among those with a time the newest still wins.
        let between = submission(patch("ann", [.appsflyerID: "e"], at: noon + .seconds(3599)))
        #expect(try await outbox.append(between) == [.unchangedWaiting])
    },
    OutboxClaim("a profile on its way is not handed out again; what comes meanwhile goes after it") { outbox, due in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let first = await outbox.claim(10, of: "main", at: noon)
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "2"], at: noon + .seconds(1))))
        #expect(await outbox.claim(10, of: "main", at: noon).deliveries.isEmpty)
        try settleAll(first, in: outbox, as: .applied(at: noon))
        let second = await outbox.claim(10, of: "main", at: noon)
        #expect(second.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "2"])])
        #expect(due.apps == ["main", "main"])
    },
    OutboxClaim("a settlement counts once") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        let claim = await outbox.claim(10, of: "main", at: noon)
        try settleAll(claim, in: outbox, as: .retry(at: noon + .seconds(10), outage))
        try settleAll(claim, in: outbox, as: .retry(at: noon + .seconds(99), outage))
        let retry = await outbox.claim(10, of: "main", at: noon + .seconds(10))
        #expect(retry.deliveries.map(\.attempts) == [1])
    },
    OutboxClaim("a retry comes when it is due, with its attempts, and since the beginning") { outbox, due in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        try settleAll(
            await outbox.claim(1, of: "main", at: noon), in: outbox, as: .retry(at: noon + .seconds(30), outage))
        let early = await outbox.claim(1, of: "main", at: noon + .seconds(29))
        #expect(early.deliveries.isEmpty && early.nextDue == noon + .seconds(30) && !early.hasMore)
        let delivery = await outbox.claim(1, of: "main", at: noon + .seconds(30)).deliveries.first
        #expect(delivery?.attempts == 1 && delivery?.since == noon && delivery?.failingSince == noon)
        // The retry was news to a consumer that had been told that nothing waits.
        #expect(due.apps == ["main", "main"])
    },
    OutboxClaim("what was released is due at once, and nothing is counted") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"])))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .released)
        let again = await outbox.claim(1, of: "main", at: noon)
        #expect(again.deliveries.map(\.attempts) == [0] && again.deliveries.map(\.failingSince) == [nil])
    },
    OutboxClaim("a dead letter is counted and not delivered again; a newer value is") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "bad"])))
        let claim = await outbox.claim(1, of: "main", at: noon)
        _ = try await outbox.append(submission(patch("ann", [.branchID: "b"])))
        try settleAll(claim, in: outbox, as: .dead(at: noon, rejection))
        let next = await outbox.claim(1, of: "main", at: noon)
        #expect(next.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "b"])])
        try settleAll(next, in: outbox, as: .applied(at: noon))
        #expect(await outbox.claim(1, of: "main", at: noon).deliveries.isEmpty)
        #expect(await outbox.census() == [Census(app: "main", waiting: 0, deadLetters: 1)])
    },
    OutboxClaim("where the profile is missing, what only waiting callers brought is dropped") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "webhook"])))
        _ = try await outbox.append(submission(patch("ann", [.branchID: "app"]), id: 7, isAwaited: true))
        let claim = await outbox.claim(1, of: "main", at: noon)
        #expect(claim.deliveries.first?.awaiting.map(\.request) == [UniqueID(high: 1, low: 7)])
        let told = [UniqueID(high: 1, low: 7)]
        try settleAll(claim, in: outbox, as: .missing(retryAt: noon + .seconds(60), noProfile, told: told))
        let retry = await outbox.claim(1, of: "main", at: noon + .seconds(60))
        #expect(retry.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.appsflyerID: "webhook"])])
        #expect(retry.deliveries.flatMap(\.awaiting).isEmpty)
    },
    OutboxClaim("what a caller brought that left before the answer is kept: it was promised delivery") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.branchID: "app"]), id: 7, isAwaited: true))
        let claim = await outbox.claim(1, of: "main", at: noon)
        try settleAll(claim, in: outbox, as: .missing(retryAt: noon + .seconds(60), noProfile, told: []))
        let retry = await outbox.claim(1, of: "main", at: noon + .seconds(60))
        #expect(retry.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "app"])])
    },
    OutboxClaim("a caller still hears of the attempt that works after one that failed") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.branchID: "app"]), id: 7, isAwaited: true))
        let claim = await outbox.claim(1, of: "main", at: noon)
        try settleAll(claim, in: outbox, as: .retry(at: noon + .seconds(1), outage))
        let retry = await outbox.claim(1, of: "main", at: noon + .seconds(1))
        #expect(retry.deliveries.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
    },
    OutboxClaim("who insists is delivered although it is applied; the next one is unchanged again") { outbox, due in
        let same = submission(patch("ann", [.branchID: "b"], at: nil))
        _ = try await outbox.append(same)
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        let insistent = submission(
            patch("ann", [.branchID: "b"], at: nil), id: 7, received: noon + .seconds(1), isAwaited: true,
            isInsistent: true)
        #expect(try await outbox.append(insistent) == [.accepted])
        #expect(due.apps == ["main", "main"])
        let again = await outbox.claim(1, of: "main", at: noon)
        #expect(again.deliveries.map(\.patch.identifiers) == [IntegrationIdentifiers([.branchID: "b"])])
        #expect(again.deliveries.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
        try settleAll(again, in: outbox, as: .applied(at: noon))
        #expect(try await outbox.append(same) == [.unchangedApplied])
    },
    OutboxClaim("who insists on what is older than applied gets the newer value delivered again") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.branchID: "new"], at: noon + .seconds(60))))
        try settleAll(await outbox.claim(1, of: "main", at: noon), in: outbox, as: .applied(at: noon))
        let insistent = submission(
            patch("ann", [.branchID: "old", .adjustDeviceID: "a"], at: noon), id: 7, isAwaited: true, isInsistent: true)
        #expect(try await outbox.append(insistent) == [.accepted])
        let again = await outbox.claim(1, of: "main", at: noon)
        #expect(
            again.deliveries.map(\.patch.identifiers)
                == [IntegrationIdentifiers([.branchID: "new", .adjustDeviceID: "a"])])
        try settleAll(again, in: outbox, as: .applied(at: noon))
        // The value that was sent again is as old as it was: what lies between is late.
        let between = submission(patch("ann", [.branchID: "between"], at: noon + .seconds(30)))
        #expect(try await outbox.append(between) == [.unchangedApplied])
    },
    OutboxClaim("who insists on what waits joins what waits") { outbox, _ in
        _ = try await outbox.append(submission(patch("ann", [.branchID: "b"], at: nil)))
        let insistent = submission(patch("ann", [.branchID: "b"], at: nil), id: 7, isAwaited: true, isInsistent: true)
        #expect(try await outbox.append(insistent) == [.unchangedWaiting])
        let claim = await outbox.claim(9, of: "main", at: noon)
        #expect(claim.deliveries.flatMap(\.awaiting).map(\.request) == [UniqueID(high: 1, low: 7)])
    },
    OutboxClaim("apps are apart from each other") { outbox, due in
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "1"]), app: "one"))
        _ = try await outbox.append(submission(patch("ann", [.appsflyerID: "2"]), app: "two"))
        #expect(await outbox.claim(9, of: "two", at: noon).deliveries.map(\.app) == ["two"])
        #expect(await outbox.census().map(\.waiting) == [1, 1])
        #expect(due.apps == ["one", "two"])
    },
    OutboxClaim("a claim takes no more than was asked for, in order of arrival, and says that there is more") {
        outbox, _ in
        for number in 1...5 { _ = try await outbox.append(submission(patch("u\(number)", [.appsflyerID: "1"]))) }
        let first = await outbox.claim(2, of: "main", at: noon)
        #expect(first.deliveries.map(\.profile.value) == ["u1", "u2"] && first.hasMore && first.nextDue == nil)
        let rest = await outbox.claim(9, of: "main", at: noon)
        #expect(rest.deliveries.map(\.profile.value) == ["u3", "u4", "u5"] && !rest.hasMore)
    },
    OutboxClaim("null is a value, and is delivered") { outbox, _ in
        var identifiers = IntegrationIdentifiers()
        identifiers[.appsflyerID] = .null
        _ = try await outbox.append(submission(Patch(profile: user("ann"), identifiers: identifiers, at: noon)))
        #expect(await outbox.claim(1, of: "main", at: noon).deliveries.map(\.patch.identifiers) == [identifiers])
    },
    OutboxClaim("ids that differ in bytes alone are different profiles") { outbox, _ in
        _ = try await outbox.append(submission(patch("e\u{301}", [.appsflyerID: "1"])))
        #expect(try await outbox.append(submission(patch("\u{e9}", [.appsflyerID: "1"]))) == [.accepted])
        #expect(await outbox.claim(9, of: "main", at: noon).deliveries.count == 2)
    },
]

func settleAll(_ claim: Claim, in outbox: any Outbox, as settlement: Settlement) throws {
    try #require(!claim.deliveries.isEmpty)
    for delivery in claim.deliveries { outbox.settle(delivery, as: settlement) }
}
