import Relay
import Testing

@Suite("A merge")
struct MergedPatchTests {
    @Test("does not depend on the order", arguments: 1...50 as ClosedRange<UInt64>)
    func commutes(seed: UInt64) {
        var patches = RandomPatches(seed: seed)
        for _ in 0..<40 {
            let (first, second) = (patches.next(), patches.next())
            #expect(merged(first, second) == merged(second, first))
        }
    }

    @Test("does not depend on the grouping", arguments: 1...50 as ClosedRange<UInt64>)
    func associates(seed: UInt64) {
        var patches = RandomPatches(seed: seed)
        for _ in 0..<40 {
            let (first, second, third) = (patches.next(), patches.next(), patches.next())
            #expect(merged(merged(first, second), third) == merged(first, merged(second, third)))
        }
    }

    @Test("with what is in it already changes nothing", arguments: 1...50 as ClosedRange<UInt64>)
    func isIdempotent(seed: UInt64) {
        var patches = RandomPatches(seed: seed)
        for _ in 0..<40 {
            let (first, second) = (patches.next(), patches.next())
            let both = merged(first, second)
            #expect(merged(first, first) == first)
            #expect(merged(both, first) == both && merged(both, second) == both)
        }
    }

    @Test("keeps the newest of each field, and the fields' order", arguments: 1...50 as ClosedRange<UInt64>)
    func keepsTheNewest(seed: UInt64) {
        var patches = RandomPatches(seed: seed)
        let all = (0..<20).map { _ in patches.next() }
        let result = all.reduce(MergedPatch(), merged)
        for identifier in Identifier.allCases {
            let newest = all.compactMap { $0[identifier] }.max { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
            #expect(result[identifier] == newest)
        }
        let order = result.fields.map(\.identifier.rawValue)
        #expect(order == order.sorted())
    }

    @Test("of two values with one time takes the one that arrived later")
    func breaksTies() {
        var patch = MergedPatch([field("first", at: 5, sequence: 1)])
        let tookLater = patch.merge(field("second", at: 5, sequence: 2))
        let tookEarlier = patch.merge(field("first", at: 5, sequence: 1))
        #expect(tookLater && !tookEarlier)
        #expect(patch.identifiers == IntegrationIdentifiers([.appsflyerID: "second"]))
    }

    @Test("lets an older time lose, however late it arrives")
    func newestTimeWins() {
        var patch = MergedPatch([field("new", at: 5, sequence: 1)])
        let tookOld = patch.merge(field("old", at: 4, sequence: 9))
        #expect(!tookOld)
        #expect(patch.identifiers == IntegrationIdentifiers([.appsflyerID: "new"]))
    }

    @Test("takes fields out by what they are")
    func removes() {
        var patch = MergedPatch([field("a", at: 5, sequence: 1)])
        patch.remove { $0.sequence == 2 }
        #expect(!patch.isEmpty)
        patch.remove { $0.sequence == 1 }
        #expect(patch.isEmpty)
    }

    private func merged(_ left: MergedPatch, _ right: MergedPatch) -> MergedPatch {
        var left = left
        left.merge(right)
        return left
    }

    private func field(_ value: String, at: Int64, sequence: Int64) -> MergedPatch.Field {
        .init(
            identifier: .appsflyerID, value: .text(value), at: Timestamp(milliseconds: at), sequence: sequence)
    }
}

/// Patches with few distinct times, so that they collide, and a sequence that no two fields share.
private struct RandomPatches {
    private var generator: SeededGenerator
    private var sequence: Int64 = 0

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> MergedPatch {
        var patch = MergedPatch()
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            sequence += 1
            let place = Int.random(in: 0..<Identifier.allCases.count, using: &generator)
            let value = UInt8.random(in: 0...3, using: &generator)
            patch.merge(
                .init(
                    identifier: Identifier.allCases[place], value: value == 0 ? .null : .text("v\(value)"),
                    at: Timestamp(milliseconds: .random(in: 0...4, using: &generator)), sequence: sequence))
        }
        return patch
    }
}

/// The same numbers in every run. Sebastiano Vigna's SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
