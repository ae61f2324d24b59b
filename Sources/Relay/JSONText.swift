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

    package mutating func object(_ name: StaticString, _ content: (inout JSONText) throws -> Void) rethrows {
        key(name)
        try enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    package mutating func array(_ name: StaticString, _ content: (inout JSONText) throws -> Void) rethrows {
        key(name)
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    package mutating func array(_ content: (inout JSONText) throws -> Void) rethrows {
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    package mutating func field(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ value: some FixedWidthInteger) {
        key(name)
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(decimal: UInt64(value.magnitude))
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        append(value ? "true" : "false")
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ id: UniqueID) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        id.write(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ time: Timestamp) {
        key(name)
        bytes.append(UInt8(ascii: "\""))
        time.write(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A number with three decimals.
    package mutating func field(_ name: StaticString, milliseconds duration: Duration) {
        key(name)
        let microseconds = UInt64(max(0, duration.microseconds))
        bytes.append(decimal: microseconds / 1000)
        bytes.append(UInt8(ascii: "."))
        bytes.append(decimal: microseconds % 1000, width: 3)
        needsComma = true
    }

    package mutating func null(_ name: StaticString) {
        key(name)
        append("null")
        needsComma = true
    }

    package mutating func element(_ value: String) {
        separate()
        string(value)
        needsComma = true
    }

    package mutating func element(_ value: some FixedWidthInteger) {
        separate()
        append(String(value))
        needsComma = true
    }

    /// Text that is JSON already: a stored fragment, an answer relayed.
    package mutating func raw(_ name: StaticString, _ json: [UInt8]) {
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

    /// Names are written in the source: nothing in them needs an escape.
    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func key(text name: String) {
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
        var text = text
        text.withUTF8 { text in
            // Most texts need no escape, and are copied in one go.
            guard text.contains(where: \.needsEscape) else { return bytes += text }
            for byte in text { escape(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0..<0x20:
            append("\\u00")
            bytes.append(UInt8.hexDigits[Int(byte >> 4)])
            bytes.append(UInt8.hexDigits[Int(byte & 15)])
        default:
            bytes.append(byte)
        }
    }
}

extension JSONText {
    // Names that are made while the program runs, such as an app's.

    @_disfavoredOverload
    package mutating func field(_ name: String, _ value: String) {
        key(text: name)
        string(value)
        needsComma = true
    }

    @_disfavoredOverload
    package mutating func field(_ name: String, _ value: some FixedWidthInteger) {
        key(text: name)
        append(String(value))
        needsComma = true
    }

    @_disfavoredOverload
    package mutating func object(_ name: String, _ content: (inout JSONText) throws -> Void) rethrows {
        key(text: name)
        try enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    @_disfavoredOverload
    package mutating func array(_ name: String, _ content: (inout JSONText) throws -> Void) rethrows {
        key(text: name)
        try enclose(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    @_disfavoredOverload
    package mutating func null(_ name: String) {
        key(text: name)
        append("null")
        needsComma = true
    }
}

extension UInt8 {
    fileprivate var needsEscape: Bool { self < 0x20 || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\") }
}

extension [UInt8] {
    /// Digits, with zeros in front up to a width.
    package mutating func append(decimal value: UInt64, width: Int = 1) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var first = 20
            while rest > 0 || 20 - first < width {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            append(contentsOf: digits[first...])
        }
    }
}
