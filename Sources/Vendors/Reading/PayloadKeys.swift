import Relay

/// Names that stand in a payload, for whoever wonders why nothing in it was read. Never a value: a name that could be
/// one, an id or an address that somebody made a key of, is left out.
enum PayloadKeys {
    private static let most = 32
    private static let mostBytes = 40

    /// The names of an object's members, and `outer.inner` of the objects within.
    static func of(_ event: JSONValue) -> [String] {
        var keys: [String] = []
        var inner: [String] = []
        keys.reserveCapacity(most)
        for (name, value) in event.members.prefix(most * 2) where keys.count < most {
            guard let key = word(name), !keys.contains(key) else { continue }
            keys.append(key)
            guard value.isObject else { continue }
            for (name, _) in value.members.prefix(most) where inner.count < most {
                if let below = word(name) { inner.append("\(key).\(below)") }
            }
        }
        if !inner.isEmpty { keys.append(contentsOf: inner.prefix(most - keys.count)) }
        return keys
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "$"), UInt8(ascii: " "): true
        default: false
        }
    }

    private static func word(_ name: UnsafeBufferPointer<UInt8>) -> String? {
        guard (1...mostBytes).contains(name.count) else { return nil }
        var digits = 0
        for byte in name {
            if byte.isDigit { digits += 1 } else if !byte.isLetterOrDigit, !isMark(byte) { return nil }
        }
        return digits <= 3 ? String(decoding: name, as: UTF8.self) : nil
    }
}
