import Relay
import Testing

@testable import SQLiteOutbox

/// Random histories, done by the ledger and by a model so simple that it can be read: dictionaries, searched from end
/// to end.
@Suite("The ledger, whatever happens,")
struct LedgerModelTests {
    @Test("does what the model does", arguments: 1...60 as ClosedRange<UInt64>)
    func followsTheModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let ledger = Ledger(settings: OutboxSettings())
        var model = Model()
        var onTheirWay: [Delivery] = []
        var now = noon
        var sequence: Int64 = 0
        for _ in 0..<600 {
            now = now + .seconds(Int.random(in: 0...20, using: &generator))
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                sequence += 1
                let arrival = randomArrival(sequence, at: now, using: &generator)
                let isAsked = !arrival.isAwaited && Bool.random(using: &generator)
                if isAsked, let known = ledger.recognize(arrival, at: now) {
                    #expect(known.kind != .accepted && known.kind == model.merge(arrival))
                    continue
                }
                let mark = ledger.undoMark
                let disposition = ledger.merge(arrival, at: now)
                // What is known is recognized.
                if isAsked { #expect(disposition.kind == .accepted) }
                if Int.random(in: 0..<6, using: &generator) == 0 {
                    ledger.undo(to: mark)
                } else {
                    ledger.keep()
                    #expect(disposition.kind == model.merge(arrival))
                }
            case 5..<7:
                let claim = ledger.claim(Int.random(in: 0...3, using: &generator), of: "main", at: now)
                for delivery in claim.deliveries {
                    // One on its way for each profile, due, and with all that waits, or one field of what is isolated.
                    #expect(!onTheirWay.contains { $0.profile == delivery.profile })
                    #expect(model.due(at: now).contains(delivery.profile))
                    model.claim(delivery.profile)
                    #expect(delivery.patch.identifiers == model.sent(to: delivery.profile))
                }
                onTheirWay += claim.deliveries
                #expect(claim.hasMore == !model.due(at: now).isEmpty)
                if !claim.hasMore { #expect(claim.nextDue == model.nextDue) }
            default:
                guard let place = onTheirWay.indices.randomElement(using: &generator) else { continue }
                let delivery = onTheirWay.remove(at: place)
                #expect(delivery.awaiting == model.callersAtClaim(of: delivery.profile))
                let settlement = randomSettlement(of: delivery, at: now, using: &generator)
                let dead = ledger.settle(delivery, as: settlement, at: now)
                #expect(
                    Set(dead.map(\.field.identifier)) == model.settle(delivery.profile, as: settlement, at: now))
            }
            #expect(ledger.waitingCount == model.profiles.values.count { !$0.waiting.isEmpty })
        }
        drain(ledger, &model, onTheirWay, at: now)
    }

    /// In the end everything is delivered, and what the upstream holds is what the model says is newest.
    private func drain(_ ledger: Ledger, _ model: inout Model, _ onTheirWay: [Delivery], at now: Timestamp) {
        let far = now + .seconds(100_000)
        var deliveries = onTheirWay
        var rounds = 0
        repeat {
            for delivery in deliveries {
                _ = ledger.settle(delivery, as: .applied(at: far), at: far)
                _ = model.settle(delivery.profile, as: .applied(at: far), at: far)
            }
            deliveries = ledger.claim(1000, of: "main", at: far).deliveries
            for delivery in deliveries { model.claim(delivery.profile) }
            rounds += 1
        } while !deliveries.isEmpty && rounds < 20
        #expect(ledger.waitingCount == 0 && model.due(at: far).isEmpty)
        for (profile, known) in model.profiles {
            for identifier in Identifier.allCases {
                let applied = ledger.entry(of: profile, in: "main")?.state.applied[identifier]
                #expect(applied?.field.value == known.applied[identifier]?.value)
                #expect(applied?.field.at == known.applied[identifier]?.at)
            }
        }
    }

    @Test("ends with the newest value of every field, if nothing is refused", arguments: 1...40 as ClosedRange<UInt64>)
    func newestWins(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let ledger = Ledger(settings: OutboxSettings())
        var newest: [ProfileReference: MergedPatch] = [:]
        var upstream: [ProfileReference: IntegrationIdentifiers] = [:]
        func deliver(_ deliveries: [Delivery]) {
            for delivery in deliveries {
                for (identifier, value) in delivery.patch.identifiers.fields {
                    upstream[delivery.profile, default: .init()][identifier] = value
                }
                _ = ledger.settle(delivery, as: .applied(at: noon), at: noon)
            }
        }
        for sequence in 1...400 as ClosedRange<Int64> {
            let arrival = randomArrival(sequence, at: noon, using: &generator)
            _ = ledger.merge(arrival, at: noon)
            ledger.keep()
            for (identifier, value) in arrival.identifiers.fields {
                let known = newest[arrival.profile]?[identifier]
                newest[arrival.profile, default: .init()].merge(arrival.field(identifier, value, after: known))
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                deliver(ledger.claim(2, of: "main", at: noon).deliveries)
            }
        }
        while case let rest = ledger.claim(100, of: "main", at: noon).deliveries, !rest.isEmpty { deliver(rest) }
        #expect(upstream == newest.mapValues(\.identifiers))
    }

    private func randomArrival(
        _ sequence: Int64, at now: Timestamp, using generator: inout SeededGenerator
    ) -> Arrival {
        var identifiers = IntegrationIdentifiers()
        for _ in 0...Int.random(in: 0...1, using: &generator) {
            let identifier = Identifier.allCases[Int.random(in: 0..<3, using: &generator)]
            let value = Int.random(in: 0...3, using: &generator)
            identifiers[identifier] = value == 0 ? .null : .text("v\(value)")
        }
        let isAwaited = Int.random(in: 0..<5, using: &generator) == 0
        let isInsistent = isAwaited && Bool.random(using: &generator)
        let isTimed = Int.random(in: 0..<3, using: &generator) > 0
        return Arrival(
            app: "main", profile: user("u\(Int.random(in: 0..<6, using: &generator))"), identifiers: identifiers,
            at: isTimed ? now + .seconds(Int.random(in: -40...10, using: &generator)) : now, isTimed: isTimed,
            received: now, sequence: sequence, origin: "o",
            request: UniqueID(high: 0, low: UInt64(sequence)), isAwaited: isAwaited, isInsistent: isInsistent)
    }

    private func randomSettlement(
        of delivery: Delivery, at now: Timestamp, using generator: inout SeededGenerator
    ) -> Settlement {
        let later = now + .seconds(Int.random(in: 0...60, using: &generator))
        let some = IdentifierSet(Identifier.allCases[Int.random(in: 0..<3, using: &generator)])
        return switch Int.random(in: 0..<13, using: &generator) {
        case 0..<5: .applied(at: now)
        case 5: .retry(at: later, outage)
        case 6: .missing(retryAt: later, noProfile, told: delivery.awaiting.map(\.request))
        case 7: .missing(retryAt: later, noProfile, told: delivery.awaiting.dropFirst().map(\.request))
        case 8: .dead(at: now, rejection)
        case 10: .rejected(at: now, FieldRejection(rejection, .unnamed))
        case 11: .rejected(at: now, FieldRejection(rejection, .named(some)))
        case 12: .rejected(at: now, FieldRejection(rejection, .all))
        default: .released
        }
    }
}

/// The rules, written down a second time without any thought of speed.
private struct Model {
    struct Known {
        var value: IntegrationIdentifiers.Value
        var at: Timestamp
        var sequence: Int64
        var isOnlyAwaited = false
        var confirmed = noon
    }

    struct Profile {
        var waiting: [Identifier: Known] = [:]
        var applied: [Identifier: Known] = [:]
        var sent: [Identifier: Known]?
        var due: Timestamp?
        var attempts = 0
        /// Callers that the next delivery answers, those of the one on its way, and those that asked during it.
        var callers: [Waiter] = []
        var callersAtClaim: [Waiter] = []
        var late: [Waiter] = []
        /// Values that Adapty refused, and fields that go one by one.
        var refused: [Identifier: IntegrationIdentifiers.Value] = [:]
        var isolated: Set<Identifier> = []
    }

    var profiles: [ProfileReference: Profile] = [:]

    func sent(to profile: ProfileReference) -> IntegrationIdentifiers {
        var identifiers = IntegrationIdentifiers()
        for (identifier, known) in profiles[profile]?.sent ?? [:] { identifiers[identifier] = known.value }
        return identifiers
    }

    func due(at now: Timestamp) -> Set<ProfileReference> {
        Set(profiles.filter { $0.value.sent == nil && $0.value.due.map { $0 <= now } ?? false }.keys)
    }

    var nextDue: Timestamp? { profiles.values.filter { $0.sent == nil }.compactMap(\.due).min() }

    mutating func merge(_ arrival: Arrival) -> Disposition.Kind {
        var profile = profiles[arrival.profile] ?? Profile()
        defer { profiles[arrival.profile] = profile }
        func isRefused(_ identifier: Identifier, _ value: IntegrationIdentifiers.Value) -> Bool {
            profile.waiting[identifier] == nil && profile.refused[identifier] == value
        }
        let isAwaited = arrival.isAwaited && !arrival.identifiers.fields.contains { isRefused($0, $1) }
        let wasWaiting = !profile.waiting.isEmpty
        var (changes, waits) = (false, false)
        for (identifier, value) in arrival.identifiers.fields {
            var at = arrival.at
            if !arrival.isTimed {
                // Never late.
                let known = [profile.waiting[identifier], profile.applied[identifier]].compactMap { $0?.at }
                at = ([at] + known).max() ?? at
            }
            if var waiting = profile.waiting[identifier] {
                waiting.isOnlyAwaited = waiting.isOnlyAwaited && isAwaited
                if at >= waiting.at && value != waiting.value {
                    (waiting.value, waiting.at, waiting.sequence) = (value, at, arrival.sequence)
                    changes = true
                } else {
                    waiting.at = value == waiting.value ? max(waiting.at, at) : waiting.at
                    waits = true
                }
                profile.waiting[identifier] = waiting
                continue
            }
            if isRefused(identifier, value) { continue }
            if var applied = profile.applied[identifier] {
                if at < applied.at {
                    guard arrival.isInsistent else { continue }
                    profile.waiting[identifier] = Known(
                        value: applied.value, at: applied.at, sequence: arrival.sequence, isOnlyAwaited: isAwaited)
                    changes = true
                    profile.refused[identifier] = nil
                    continue
                }
                if !arrival.isInsistent, value == applied.value, arrival.received - applied.confirmed < .seconds(86_400)
                {
                    applied.at = at
                    profile.applied[identifier] = applied
                    continue
                }
            }
            profile.waiting[identifier] = Known(
                value: value, at: at, sequence: arrival.sequence, isOnlyAwaited: isAwaited)
            profile.refused[identifier] = nil
            changes = true
        }
        if !wasWaiting, changes { profile.due = Timestamp(milliseconds: .min) }
        if isAwaited, let request = arrival.request, changes || waits {
            let fields = IdentifierSet(arrival.identifiers).intersection(IdentifierSet(profile.waiting.keys))
            let waiter = Waiter(request, fields)
            if profile.callers.count + profile.late.count >= 16 {
                (profile.callers, profile.late) = ([], [])
                for identifier in profile.waiting.keys { profile.waiting[identifier]?.isOnlyAwaited = false }
            }
            if profile.sent != nil {
                profile.late.append(waiter)
            } else {
                profile.callers.append(waiter)
                profile.due = Timestamp(milliseconds: .min)
            }
        }
        return changes ? .accepted : waits ? .unchangedWaiting : .unchangedApplied
    }

    mutating func claim(_ reference: ProfileReference) {
        guard var profile = profiles[reference] else { return }
        let alone = profile.waiting.keys.filter { profile.isolated.contains($0) }.min { $0.rawValue < $1.rawValue }
        profile.sent = alone.map { alone in profile.waiting.filter { $0.key == alone } } ?? profile.waiting
        profile.callersAtClaim = profile.callers
        profiles[reference] = profile
    }

    func callersAtClaim(of reference: ProfileReference) -> [Waiter] {
        profiles[reference]?.callersAtClaim ?? []
    }

    /// What became dead letters.
    mutating func settle(
        _ reference: ProfileReference, as settlement: Settlement, at now: Timestamp
    ) -> Set<Identifier> {
        guard var profile = profiles[reference], let sent = profile.sent else { return [] }
        defer { profiles[reference] = profile }
        let before = profile.waiting
        let isAskedAgain = !profile.late.isEmpty
        let callers = profile.callersAtClaim
        profile.sent = nil
        func isSent(_ identifier: Identifier, _ known: Known) -> Bool { sent[identifier]?.sequence == known.sequence }
        func clearMarks() {
            for identifier in sent.keys { profile.waiting[identifier]?.isOnlyAwaited = false }
        }
        let sentSet = IdentifierSet(sent.keys)
        var dead: Set<Identifier> = []
        var kept: [Waiter] = []
        /// What callers asked for meanwhile goes once more.
        func askAgain() {
            let asked = profile.late.reduce(into: IdentifierSet()) { $0.formUnion($1.fields) }
            for (identifier, known) in before where asked.contains(identifier) && profile.waiting[identifier] == nil {
                profile.waiting[identifier] = known
            }
        }
        /// Ends what was sent of some fields; returns those of which nothing newer had come.
        func end(_ fields: IdentifierSet) -> Set<Identifier> {
            let ended = before.filter { fields.contains($0.key) && isSent($0.key, $0.value) }
            for identifier in ended.keys { profile.waiting[identifier] = nil }
            profile.isolated = profile.isolated.filter { !fields.contains($0) }
            return Set(ended.keys)
        }
        switch settlement {
        case .applied(let at):
            for (identifier, known) in sent {
                var applied = known
                if let now = before[identifier], now.sequence == known.sequence { applied.at = now.at }
                applied.confirmed = at
                profile.applied[identifier] = applied
            }
            _ = end(sentSet)
            askAgain()
            kept = callers.filter { !sentSet.isSuperset(of: $0.fields) }.map { $0.subtracting(sentSet) }
            (profile.due, profile.attempts) = (Timestamp(milliseconds: .min), 0)
        case .rejected(_, let rejection):
            let refused =
                switch rejection.fields {
                case .all: sentSet
                case .named(let named) where !named.isDisjoint(with: sentSet): named.intersection(sentSet)
                case .named, .unnamed: sent.count == 1 ? sentSet : IdentifierSet()
                }
            if refused.isEmpty {
                profile.isolated.formUnion(sent.keys)
                kept = callers.filter { !$0.fields.isSuperset(of: sentSet) }
            } else {
                let asked = profile.late.reduce(into: IdentifierSet()) { $0.formUnion($1.fields) }
                dead = end(refused.subtracting(asked))
                profile.isolated = profile.isolated.filter { !refused.contains($0) }
                for identifier in dead { profile.refused[identifier] = sent[identifier]?.value }
                kept = callers.filter { $0.fields.isDisjoint(with: refused) }
            }
            (profile.due, profile.attempts) = (Timestamp(milliseconds: .min), 0)
        case .dead:
            dead = end(sentSet)
            askAgain()
            dead = dead.filter { profile.waiting[$0] == nil }
            (profile.due, profile.attempts) = (Timestamp(milliseconds: .min), 0)
        case .missing(let retryAt, _, let told):
            if !isAskedAgain {
                if told == callers.map(\.request) {
                    profile.waiting = before.filter { !isSent($0.key, $0.value) || !$0.value.isOnlyAwaited }
                }
                clearMarks()
            }
            (profile.due, profile.attempts) = (isAskedAgain ? now : retryAt, profile.attempts + 1)
        case .retry(let at, _, _):
            kept = callers
            (profile.due, profile.attempts) = (at, profile.attempts + 1)
        case .released, .abandoned:
            kept = callers
            clearMarks()
            profile.due = profile.attempts == 0 ? Timestamp(milliseconds: .min) : now
        }
        let waiting = IdentifierSet(profile.waiting.keys)
        profile.callers = (kept + profile.late).map { Waiter($0.request, $0.fields.intersection(waiting)) }
        profile.late = []
        if profile.waiting.isEmpty { profile.callers = [] }
        if profile.waiting.isEmpty { (profile.due, profile.attempts) = (nil, 0) }
        return dead
    }
}
