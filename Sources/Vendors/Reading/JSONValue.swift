import CSimdjson
import Relay

/// One value of a payload: a node of a tape and all that follows from it. Good as long as the parser or parameters it
/// came from are not used for another document; the scratch of a request sees to that.
struct JSONValue {
    let node: UnsafePointer<json_node>

    enum Kind {
        case null, bool, number, string, brokenString, array, object
    }

    var kind: Kind {
        switch node.pointee.kind {
        case JSON_NULL: .null
        case JSON_FALSE, JSON_TRUE: .bool
        case JSON_NUMBER: .number
        case JSON_STRING, JSON_NAME: .string
        case JSON_BROKEN_STRING: .brokenString
        case JSON_ARRAY: .array
        default: .object
        }
    }

    var isObject: Bool { node.pointee.kind == JSON_OBJECT }
    var isArray: Bool { node.pointee.kind == JSON_ARRAY }

    /// An object or array with something in it.
    var isFull: Bool { (isObject || isArray) && node.pointee.span > 1 }

    /// A string unescaped, a number's digits, a literal's word; empty for arrays and objects.
    var text: UnsafeBufferPointer<UInt8> {
        guard let text = node.pointee.text else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: text, count: Int(node.pointee.length)).bindMemory(to: UInt8.self)
    }

    /// The members of an object in their order, a repeated name as often as it is there. Nothing for other values.
    var members: Members { Members(isObject ? self : nil) }

    /// The elements of an array. Nothing for other values.
    var elements: Elements { Elements(isArray ? self : nil) }

    struct Members: Sequence, IteratorProtocol {
        private var name: UnsafePointer<json_node>?
        private let end: UnsafePointer<json_node>?

        fileprivate init(_ object: JSONValue?) {
            name = object.map { $0.node + 1 }
            end = object.map { $0.node + Int($0.node.pointee.span) }
        }

        mutating func next() -> (name: UnsafeBufferPointer<UInt8>, value: JSONValue)? {
            guard let name, name != end else { return nil }
            let value = name + 1
            self.name = value + Int(value.pointee.span)
            return (JSONValue(node: name).text, JSONValue(node: value))
        }
    }

    struct Elements: Sequence, IteratorProtocol {
        private var element: UnsafePointer<json_node>?
        private let end: UnsafePointer<json_node>?

        fileprivate init(_ array: JSONValue?) {
            element = array.map { $0.node + 1 }
            end = array.map { $0.node + Int($0.node.pointee.span) }
        }

        mutating func next() -> JSONValue? {
            guard let element, element != end else { return nil }
            self.element = element + Int(element.pointee.span)
            return JSONValue(node: element)
        }
    }
}

extension JSONValue {
    /// The member of an object with this name. Of several the last, as everywhere here.
    subscript(name: String) -> JSONValue? { name.withBytes { member($0) } }

    subscript(name: [UInt8]) -> JSONValue? { name.withUnsafeBufferPointer { member($0) } }

    private func member(_ wanted: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        guard isObject else { return nil }
        var found: JSONValue?
        let wantedTag = wanted.tag
        forEachMember { tag, name, value in
            if tag == wantedTag, name.text.elementsEqual(wanted) { found = value }
        }
        return found
    }

    /// A member that stands at the beginning of an object, if anywhere; of others nothing is looked at.
    func member(_ name: StaticString, amongFirst count: Int) -> JSONValue? {
        name.withUTF8Buffer { wanted in
            members.prefix(count).reduce(JSONValue?.none) { found, member in
                member.name.count == wanted.count && member.name.elementsEqual(wanted) ? member.value : found
            }
        }
    }

    /// A string's text; nil for everything else.
    var string: String? {
        kind == .string ? String(decoding: text, as: UTF8.self) : nil
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// What most names differ in, in one word: the length, the first byte and the last.
    var tag: UInt32 {
        guard let first, let last else { return 0 }
        return UInt32(truncatingIfNeeded: count) << 16 | UInt32(first) << 8 | UInt32(last)
    }
}

extension JSONValue {
    /// Calls with each member of an object: its name's tag, its name and its value. Most names need no more than the
    /// tag.
    @inline(__always)
    func forEachMember(_ body: (_ tag: UInt32, _ name: JSONValue, _ value: JSONValue) -> Void) {
        var name = node + 1
        let end = node + Int(node.pointee.span)
        while name < end {
            let value = name + 1
            let length = name.pointee.length
            if let text = name.pointee.text, length > 0 {
                let first = UInt8(bitPattern: text[0])
                let last = UInt8(bitPattern: text[Int(length) - 1])
                let tag = UInt32(truncatingIfNeeded: length) << 16 | UInt32(first) << 8 | UInt32(last)
                body(tag, JSONValue(node: name), JSONValue(node: value))
            } else {
                body(0, JSONValue(node: name), JSONValue(node: value))
            }
            name = value + Int(value.pointee.span)
        }
    }
}
