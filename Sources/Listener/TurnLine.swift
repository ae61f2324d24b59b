/// Connections whose peers sent requests ahead of an answer: the next of each is read when its turn comes.
///
/// Addresses take turns, and the connections of an address among themselves. A thousand connections of one address
/// together get no more of the loop than the one of another; and whoever sends nothing ahead stands in no line.
struct TurnLine<Member> {
    /// Those of one address.
    private final class Lane {
        let key: ObjectIdentifier
        var members = Queue<Member>()

        init(_ key: ObjectIdentifier) {
            self.key = key
        }
    }

    private var lanes: [ObjectIdentifier: Lane] = [:]
    /// Every lane with somebody in it, once.
    private var order = Queue<Lane>()

    var isEmpty: Bool { order.isEmpty }

    /// - Parameter key: the address.
    mutating func append(_ member: Member, of key: ObjectIdentifier) {
        if let lane = lanes[key] { return lane.members.append(member) }
        let lane = Lane(key)
        lane.members.append(member)
        lanes[key] = lane
        order.append(lane)
    }

    /// Takes out whose turn it is.
    mutating func next() -> Member? {
        guard let lane = order.popFirst() else { return nil }
        let member = lane.members.popFirst()
        if lane.members.isEmpty { lanes[lane.key] = nil } else { order.append(lane) }
        return member
    }
}

/// First in, first out.
private struct Queue<Element> {
    private var elements: [Element?] = []
    private var start = 0

    var isEmpty: Bool { start == elements.count }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard start < elements.count else { return nil }
        let element = exchange(&elements[start], with: nil)
        start += 1
        if start == elements.count {
            elements.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= 64, start * 2 >= elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return element
    }
}
