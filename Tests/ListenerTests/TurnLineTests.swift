import Testing

@testable import Listener

@Suite("Who sent ahead")
struct TurnLineTests {
    private final class Address {}

    @Test("addresses take turns, and the connections of one among themselves")
    func turns() {
        let (crowd, lone) = (Address(), Address())
        var line = TurnLine<String>()
        for number in 1...3 { line.append("crowd \(number)", of: ObjectIdentifier(crowd)) }
        line.append("lone", of: ObjectIdentifier(lone))
        var turns: [String] = []
        for _ in 0..<8 {
            guard let next = line.next() else { break }
            turns.append(next)
            // Each has sent more.
            line.append(next, of: ObjectIdentifier(next == "lone" ? lone : crowd))
        }
        #expect(
            turns == ["crowd 1", "lone", "crowd 2", "lone", "crowd 3", "lone", "crowd 1", "lone"])
    }

    @Test("everybody comes out once, in the order of coming, and the line is empty then")
    func drains() {
        let addresses = (0..<7).map { _ in Address() }
        var line = TurnLine<Int>()
        for number in 0..<1000 { line.append(number, of: ObjectIdentifier(addresses[number % 7])) }
        var seen: [Int] = []
        while let next = line.next() { seen.append(next) }
        #expect(seen == Array(0..<1000))
        #expect(line.isEmpty)
        line.append(1, of: ObjectIdentifier(addresses[0]))
        #expect(line.next() == 1)
        #expect(line.next() == nil)
    }
}
