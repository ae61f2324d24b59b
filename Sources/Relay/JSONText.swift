/// Writes small JSON straight into bytes: bodies, log lines, outbox columns. Reading is simdjson's work, elsewhere.
package struct JSONText: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reserving capacity: Int = 128) {
        bytes.reserveCapacity(capacity)
    }

    package mutating func object(_ content: (inout JSONText) throws -> Void) rethrows {
        try enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    package mutating func object(_ name: String, _ content: (inout JSONText) throws -> Void) rethrows {
        key(name)
        try enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    package mutating func array(_ name: String, _ content: (inout JSONText) throws -> Void) rethrows {
        key(name)
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    package mutating func array(_ content: (inout JSONText) throws -> Void) rethrows {
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    package mutating func field(_ name: String, _ value: String) {
        key(name)
        string(value)
        needsComma = true
    }

    package mutating func field(_ name: String, _ value: some FixedWidthInteger) {
        key(name)
        append(String(value))
        needsComma = true
    }

    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
        needsComma = true
    }

    /// A number with three decimals.
    package mutating func field(_ name: String, milliseconds duration: Duration) {
        key(name)
        let microseconds = max(0, duration.microseconds)
        let fraction = String(microseconds % 1000)
        append(String(microseconds / 1000) + "." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction)
        needsComma = true
    }

    package mutating func null(_ name: String) {
        key(name)
        append("null")
        needsComma = true
    }

    package mutating func element(_ value: String) {
        separate()
        string(value)
        needsComma = true
    }

    /// Text that is JSON already: a stored fragment, an answer relayed.
    package mutating func raw(_ name: String, _ json: [UInt8]) {
        key(name)
        bytes += json
        needsComma = true
    }

    /// The members of an object that was written elsewhere, `{...}`.
    package mutating func splice(_ object: [UInt8]) {
        guard object.count > 2 else { return }
        separate()
        bytes += object[1..<(object.count - 1)]
        needsComma = true
    }

    /// A line's end, and a fresh start behind it.
    package mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func enclose(
        _ opening: UInt8, _ closing: UInt8, _ content: (inout JSONText) throws -> Void
    ) rethrows {
        separate()
        bytes.append(opening)
        try content(&self)
        bytes.append(closing)
        needsComma = true
    }

    private mutating func append(_ text: String) {
        bytes += text.utf8
    }

    /// RFC 8259 section 7: quote, backslash and control characters are escaped, everything else stands as UTF-8.
    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes.append(UInt8.hexDigits[Int(byte >> 4)])
                bytes.append(UInt8.hexDigits[Int(byte & 15)])
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
