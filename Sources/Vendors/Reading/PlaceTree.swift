import Relay

/// All the places of a vendor as one tree of names, so that an event is walked once however many places there are.
///
/// Each place has a number; the numbers under one name are consecutive. So when a name comes twice and the last shall
/// win, what was found under the first is forgotten by clearing one range.
struct PlaceTree: Sendable {
    /// What stands at each place of one payload.
    typealias Findings = UnsafeMutableBufferPointer<JSONValue?>

    private struct Name: Sendable {
        /// Compared first.
        let tag: UInt32
        let bytes: [UInt8]
        /// The place that ends here.
        let place: Int?
        /// The places that end here or below.
        let places: Range<Int>
        /// The names below.
        let children: Int
    }

    /// The names that can follow one name, and which tags they can have: most names of a payload are turned away by one
    /// bit.
    private struct Level: Sendable {
        var names: [Name] = []
        var filter: UInt64 = 0
    }

    private var levels: [Level] = []
    private static let root = 0

    let count: Int
    /// The number of each place.
    let numbers: [Place: Int]

    init(_ places: Set<Place>) {
        let builder = Builder()
        for place in places.sorted(by: { $0.description < $1.description }) { builder.insert(place) }
        var numbers: [Place: Int] = [:]
        var levels: [Level] = []
        var count = 0
        _ = Self.number(builder.root, &levels, &numbers, &count)
        self.levels = levels
        self.numbers = numbers
        self.count = count
    }

    /// Finds what stands at each place of an event.
    func find(in event: JSONValue, _ findings: Findings, using nested: NestedDocuments) {
        findings.update(repeating: nil)
        descend(into: event, Self.root, findings, nested)
    }

    private func descend(into value: JSONValue, _ level: Int, _ findings: Findings, _ nested: NestedDocuments) {
        switch value.kind {
        case .object:
            let filter = levels[level].filter
            value.forEachMember { tag, name, value in
                if filter & Self.bit(of: tag) != 0 { step(name.text, tag, to: value, level, findings, nested) }
            }
        case .array:
            var index: UInt8 = 0
            for element in value.elements {
                // Vendors' lists are looked into at their first elements only.
                if index < 10 {
                    withUnsafePointer(to: UInt8(ascii: "0") + index) {
                        let name = UnsafeBufferPointer(start: $0, count: 1)
                        step(name, name.tag, to: element, level, findings, nested)
                    }
                    index += 1
                }
                if let key = element["key"], key.kind == .string {
                    step(key.text, key.text.tag, to: element, level, findings, nested)
                }
            }
        case .string:
            if let document = nested.read(value.text) { descend(into: document, level, findings, nested) }
        case .null, .bool, .number, .brokenString:
            break
        }
    }

    private func step(
        _ name: UnsafeBufferPointer<UInt8>, _ tag: UInt32, to value: JSONValue, _ level: Int, _ findings: Findings,
        _ nested: NestedDocuments
    ) {
        for candidate in levels[level].names.indices where levels[level].names[candidate].tag == tag {
            guard levels[level].names[candidate].bytes.elementsEqual(name) else { continue }
            for place in levels[level].names[candidate].places { findings[place] = nil }
            if let place = levels[level].names[candidate].place { findings[place] = value }
            let children = levels[level].names[candidate].children
            if children != Self.root { descend(into: value, children, findings, nested) }
            return
        }
    }

    private static func bit(of tag: UInt32) -> UInt64 {
        1 << UInt64((tag &* 0x9e37_79b1) >> 26)
    }

    // MARK: - Building

    private struct Builder {
        final class Node {
            var children: [(name: String, node: Node)] = []
            var places: [Place] = []
        }

        let root = Node()

        func insert(_ place: Place) {
            var node = root
            for step in place.steps {
                if let child = node.children.first(where: { $0.name == step }) {
                    node = child.node
                } else {
                    let child = Node()
                    node.children.append((step, child))
                    node = child
                }
            }
            node.places.append(place)
        }
    }

    /// Depth first: the numbers below one name are consecutive.
    private static func number(
        _ node: Builder.Node, _ levels: inout [Level], _ numbers: inout [Place: Int], _ count: inout Int
    ) -> Int {
        let own = levels.count
        levels.append(Level())
        for (name, child) in node.children {
            let first = count
            // Two ways of writing one path (`id` and `/id`) are one place.
            for place in child.places { numbers[place] = first }
            if !child.places.isEmpty { count += 1 }
            let children = child.children.isEmpty ? root : number(child, &levels, &numbers, &count)
            let bytes = Array(name.utf8)
            let tag: UInt32 = bytes.withUnsafeBufferPointer { $0.tag }
            levels[own].filter |= bit(of: tag)
            levels[own].names.append(
                Name(
                    tag: tag, bytes: bytes, place: child.places.isEmpty ? nil : first,
                    places: first..<count, children: children))
        }
        return own
    }
}
