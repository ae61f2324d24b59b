import Testing

@testable import RateLimit

struct ArrivalTableTests {
    private func put(_ arrival: UInt64, for key: UInt64, at now: UInt64, in table: ArrivalTable) {
        table.withArrival(of: key, at: now) { $0 = arrival }
    }

    private func arrival(of key: UInt64, at now: UInt64, in table: ArrivalTable) -> UInt64 {
        table.withArrival(of: key, at: now) { $0 }
    }

    @Test("ten million keys take no more room than a thousand")
    func bounded() {
        let table = ArrivalTable(capacity: 1024)
        #expect(table.capacity == 1024)
        var generator = SeededGenerator(seed: 4)
        for now in 0..<10_000_000 as Range<UInt64> {
            put(now + 1_000_000_000, for: generator.next(), at: now, in: table)
        }
        #expect(table.count(at: 10_000_000) == 1024)
        #expect(table.capacity == 1024)
        #expect(table.count(at: .max) == 0)
    }

    @Test("keys with different hashes never share an arrival time while there is room")
    func separate() {
        let table = ArrivalTable(capacity: 4096)
        var generator = SeededGenerator(seed: 5)
        let keys = (0..<400).map { _ in generator.next() }
        for (index, key) in keys.enumerated() { put(UInt64(1000 + index), for: key, at: 0, in: table) }
        for (index, key) in keys.enumerated() {
            #expect(arrival(of: key, at: 0, in: table) == UInt64(1000 + index))
        }
    }

    @Test("an entry whose time has passed equals one that was never there")
    func expiry() {
        let table = ArrivalTable(capacity: 64)
        put(100, for: 7, at: 50, in: table)
        #expect(arrival(of: 7, at: 99, in: table) == 100)
        #expect(arrival(of: 7, at: 100, in: table) == 100)
        #expect(arrival(of: 7, at: 250, in: table) == 250)
        #expect(arrival(of: 8, at: 250, in: table) == 250)
        #expect(table.count(at: 99) == 1)
        #expect(table.count(at: 100) == 0)
    }

    @Test("in a full set the entry closest to its expiry makes room, and no other")
    func eviction() {
        let table = ArrivalTable(capacity: ArrivalTable.ways, shards: 1)
        for key in 1...8 as ClosedRange<UInt64> { put(1000 + key * 10 % 70, for: key, at: 0, in: table) }
        // 7 * 10 % 70 is 0: key 7 is the one that would expire first.
        put(5000, for: 99, at: 0, in: table)
        #expect(arrival(of: 7, at: 0, in: table) == 0)
        #expect(arrival(of: 99, at: 0, in: table) == 5000)
        for key in [1, 2, 3, 4, 5, 6, 8] as [UInt64] {
            #expect(arrival(of: key, at: 0, in: table) == 1000 + key * 10 % 70)
        }
    }

    @Test("an expired entry is written over before one that still means something")
    func reuse() {
        let table = ArrivalTable(capacity: ArrivalTable.ways, shards: 1)
        for key in 1...8 as ClosedRange<UInt64> { put(key == 5 ? 10 : 1000, for: key, at: 0, in: table) }
        put(2000, for: 99, at: 20, in: table)
        #expect(table.count(at: 20) == 8)
        for key in [1, 2, 3, 4, 6, 7, 8] as [UInt64] { #expect(arrival(of: key, at: 20, in: table) == 1000) }
    }

    @Test("looking keeps nothing and pushes nothing out")
    func looking() {
        let table = ArrivalTable(capacity: ArrivalTable.ways, shards: 1)
        for key in 1...8 as ClosedRange<UInt64> { put(1000, for: key, at: 0, in: table) }
        for key in 100...200 as ClosedRange<UInt64> { #expect(arrival(of: key, at: 0, in: table) == 0) }
        for key in 1...8 as ClosedRange<UInt64> { #expect(arrival(of: key, at: 0, in: table) == 1000) }
    }
}
