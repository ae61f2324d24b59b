@testable import Vendors

/// A JSON document as a value that tests can build, change and write. Members keep their order and may repeat.
indirect enum JSONTree: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONTree])
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: JSONTree
    }

    init(_ value: JSONValue) {
        switch value.kind {
        case .null: self = .null
        case .bool: self = .bool(String(decoding: value.text, as: UTF8.self) == "true")
        case .number: self = .number(String(decoding: value.text, as: UTF8.self))
        case .string, .brokenString: self = .string(String(decoding: value.text, as: UTF8.self))
        case .array: self = .array(value.elements.map { JSONTree($0) })
        case .object:
            self = .object(
                value.members.map { Member(name: String(decoding: $0.name, as: UTF8.self), value: JSONTree($0.value)) })
        }
    }

    static func parse(_ text: String) throws(JSONFault) -> JSONTree {
        try parse(Array(text.utf8))
    }

    static func parse(_ bytes: [UInt8], with parser: JSONParser = JSONParser()) throws(JSONFault) -> JSONTree {
        try parser.withDocument(bytes) { JSONTree($0) }
    }

    /// JSON again. Every character beyond ASCII, and some within, as an escape where `isEscaping`.
    func text(isEscaping: Bool = false) -> String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let digits): digits
        case .string(let text): Self.quote(text, isEscaping)
        case .array(let elements): "[" + elements.map { $0.text(isEscaping: isEscaping) }.joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.map { Self.quote($0.name, isEscaping) + ":" + $0.value.text(isEscaping: isEscaping) }
                .joined(separator: ",") + "}"
        }
    }

    private static func quote(_ text: String, _ isEscaping: Bool) -> String {
        var result = "\""
        for unit in text.unicodeScalars {
            switch unit {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where unit.value < 0x20 || isEscaping:
                for code in String(unit).utf16 {
                    let hex = String(code, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            default: result.unicodeScalars.append(unit)
            }
        }
        return result + "\""
    }
}

/// Xorshift: the same documents in every run, whatever the seed was.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
