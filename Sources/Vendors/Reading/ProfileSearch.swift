import CSimdjson
import Glibc
import Relay

/// Looks for one of Adapty's own names anywhere in an event, JSON within strings included: wherever the customer could
/// put it, it says whom the event is about. The shallowest counts.
struct ProfileSearch {
    /// The value that stands at the least depth, and that depth.
    private(set) var found: (value: JSONValue, depth: Int)?
    /// Another value at the same depth says something else.
    private(set) var isAmbiguous = false

    private let name: [UInt8]
    private let meaningless: Meaningless
    /// Members whose contents are about somebody else.
    private let others: [[UInt8]]
    private let nested: NestedDocuments

    /// Members within each other; what lies deeper is nobody's data.
    static let mostDepth = 16

    init(
        _ name: [UInt8], in event: JSONValue, meaningless: Meaningless, others: [[UInt8]], using nested: NestedDocuments
    ) {
        self.name = name
        self.meaningless = meaningless
        self.others = others
        self.nested = nested
        walk(event, 1)
    }

    private mutating func walk(_ value: JSONValue, _ depth: Int) {
        guard depth <= (found?.depth ?? Self.mostDepth) else { return }
        switch value.kind {
        case .object:
            // Of several of one name the last, as everywhere here.
            if let member = value[name] { consider(member, depth) }
            for (name, member) in value.members
            where !name.elementsEqual(self.name) && !others.contains(where: { name.elementsEqual($0) }) {
                walk(member, depth + 1)
            }
        case .array:
            for element in value.elements { walk(element, depth + 1) }
        case .string:
            if value.mayHoldName, let document = nested.read(value.text) { walk(document, depth) }
        case .null, .bool, .number, .brokenString:
            break
        }
    }

    /// Analytics wrap values: `{"value": ...}`, `{"string_value": ...}`.
    private mutating func consider(_ value: JSONValue, _ depth: Int, isWrapped: Bool = false) {
        switch value.kind {
        case .string, .number:
            guard !meaningless.covers(value.text.trimmingBlanks) else { return }
        case .brokenString: break
        case .object:
            let inner = ["value", "string_value", "stringValue", "int_value", "intValue"].lazy.compactMap { value[$0] }
            if let first = inner.first(where: { $0.kind != .null }) { consider(first, depth) }
            return
        case .null, .bool, .array: return
        }
        if let found, found.depth == depth {
            if !Self.isSame(found.value, value) { isAmbiguous = true }
        } else if depth < (found?.depth ?? .max) {
            found = (value, depth)
            isAmbiguous = false
        }
    }

    /// Profile ids are the same in either case of letters.
    private static func isSame(_ value: JSONValue, _ other: JSONValue) -> Bool {
        let (left, right) = (value.text.trimmingBlanks, other.text.trimmingBlanks)
        if left.elementsEqual(right) { return true }
        guard let id = UniqueID(utf8: left) else { return false }
        return id == UniqueID(utf8: right)
    }
}

extension JSONValue {
    /// Whether one of Adapty's names of a profile can stand anywhere in this. One look at each node and no recursion:
    /// asked of nearly every event, and answered with no.
    var mayNameProfile: Bool {
        let lengths = (
            UInt32(CanonicalName.profileIDBytes.count), UInt32(CanonicalName.customerUserIDBytes.count)
        )
        var node = node
        let end = node + Int(node.pointee.span)
        while node < end {
            switch node.pointee.kind {
            case JSON_NAME:
                let length = node.pointee.length
                if length == lengths.0 || length == lengths.1, let text = node.pointee.text,
                    memcmp(text, CanonicalName.prefix, CanonicalName.prefixLength) == 0
                {
                    return true
                }
            case JSON_STRING:
                if JSONValue(node: node).mayHoldName { return true }
            default: break
            }
            node += 1
        }
        return false
    }

    /// Whether a string is long enough for JSON with such a name, begins like JSON, and has the name's beginning.
    fileprivate var mayHoldName: Bool {
        let length = Int(node.pointee.length)
        guard length > 24, let text = node.pointee.text else { return false }
        let first = UInt8(bitPattern: text[0])
        // Blanks, `{`, `[`, a byte order mark.
        guard first <= UInt8(ascii: " ") || first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == 0xef
        else { return false }
        return CanonicalName.begins(within: UnsafeRawBufferPointer(start: text, count: length))
    }
}

extension CanonicalName {
    static let profileIDBytes = Array(profileID.utf8)
    static let customerUserIDBytes = Array(customerUserID.utf8)
    /// `adapty_`, as C has it.
    fileprivate static let prefixLength = 7
    fileprivate static var prefix: UnsafePointer<CChar> {
        UnsafeRawPointer(prefixText.utf8Start).assumingMemoryBound(to: CChar.self)
    }
    private static let prefixText: StaticString = "adapty_"

    /// Looks for the underscore, which is rarer than the letters.
    fileprivate static func begins(within text: UnsafeRawBufferPointer) -> Bool {
        guard var place = text.baseAddress else { return false }
        let end = place + text.count
        while place < end, let found = memchr(place, Int32(UInt8(ascii: "_")), end - place) {
            let behind = UnsafeRawPointer(found) + 1
            let start = behind - prefixLength
            if text.baseAddress.map({ start >= $0 }) ?? false, memcmp(start, prefix, prefixLength) == 0 { return true }
            place = behind
        }
        return false
    }
}
