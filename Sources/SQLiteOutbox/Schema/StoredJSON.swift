import Relay

/// Reads the JSON that the outbox itself has written: objects, strings, integers and null. Anything else is not ours.
struct StoredJSON {
    enum Value: Equatable {
        case null
        case text(String)
        case integer(Int64)
        case object([Member])
    }

    struct Member: Equatable {
        let name: String
        let value: Value
    }

    struct Malformed: Error, Equatable {
        let offset: Int
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    static func object(_ text: String) throws(Malformed) -> [Member] {
        var reader = StoredJSON(bytes: Array(text.utf8))
        guard case .object(let members) = try reader.value(), reader.position == reader.bytes.count else {
            throw Malformed(offset: reader.position)
        }
        return members
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func value() throws(Malformed) -> Value {
        switch peek {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "n"):
            for byte in "null".utf8 { try expect(byte) }
            return .null
        default: return .integer(try integer())
        }
    }

    private mutating func members() throws(Malformed) -> [Member] {
        // Ours are two deep.
        depth += 1
        defer { depth -= 1 }
        guard depth <= 4 else { throw Malformed(offset: position) }
        try expect(UInt8(ascii: "{"))
        var members: [Member] = []
        while peek != UInt8(ascii: "}") {
            if !members.isEmpty { try expect(UInt8(ascii: ",")) }
            let name = try text()
            try expect(UInt8(ascii: ":"))
            members.append(Member(name: name, value: try value()))
        }
        position += 1
        return members
    }

    private mutating func integer() throws(Malformed) -> Int64 {
        let start = position
        while let byte = peek, byte.isDigit || byte == UInt8(ascii: "-") { position += 1 }
        guard let number = Int64(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw Malformed(offset: start)
        }
        return number
    }

    private mutating func text() throws(Malformed) -> String {
        try expect(UInt8(ascii: "\""))
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        if peek == UInt8(ascii: "\"") {
            position += 1
            return String(decoding: bytes[start..<position - 1], as: UTF8.self)
        }
        var unescaped = Array(bytes[start..<position])
        while let byte = peek, byte != UInt8(ascii: "\"") {
            position += 1
            unescaped.append(byte == UInt8(ascii: "\\") ? try escaped() : byte)
        }
        try expect(UInt8(ascii: "\""))
        return String(decoding: unescaped, as: UTF8.self)
    }

    /// `JSONText` escapes quotes and backslashes as themselves, and control characters as `\u00XX`.
    private mutating func escaped() throws(Malformed) -> UInt8 {
        guard let byte = peek else { throw Malformed(offset: position) }
        position += 1
        guard byte == UInt8(ascii: "u") else { return byte }
        try expect(UInt8(ascii: "0"))
        try expect(UInt8(ascii: "0"))
        guard let high = peek?.hexDigit else { throw Malformed(offset: position) }
        position += 1
        guard let low = peek?.hexDigit else { throw Malformed(offset: position) }
        position += 1
        return high << 4 | low
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func expect(_ byte: UInt8) throws(Malformed) {
        guard peek == byte else { throw Malformed(offset: position) }
        position += 1
    }
}
