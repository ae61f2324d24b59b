/// Writes small JSON straight into bytes: bodies, log lines, outbox columns. Reading is simdjson's work, elsewhere.
package struct JSONText: ~Copyable, Sendable {
    private var text: ByteText
    private var needsComma = false

    package init(reserving capacity: Int = 256) {
        text = ByteText(reserving: capacity)
    }

    /// A copy of what was written.
    package var bytes: [UInt8] { text.bytes }

    package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        text.withBytes(body)
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

    /// A text of the source's: nothing in it needs an escape.
    package mutating func field(_ name: StaticString, plain value: StaticString) {
        key(name)
        quoted { $0.append(value) }
    }

    package mutating func field(_ name: StaticString, _ value: some FixedWidthInteger) {
        key(name)
        number(value)
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        text.append(value ? "true" : "false")
        needsComma = true
    }

    package mutating func field(_ name: StaticString, _ id: UniqueID) {
        key(name)
        quoted { $0.append(id) }
    }

    package mutating func field(_ name: StaticString, _ time: Timestamp) {
        key(name)
        quoted { time.write(to: &$0) }
    }

    /// A number with three decimals.
    package mutating func field(_ name: StaticString, milliseconds duration: Duration) {
        key(name)
        let microseconds = UInt64(max(0, duration.microseconds))
        text.append(decimal: microseconds / 1000)
        text.append(UInt8(ascii: "."))
        text.append(decimal: microseconds % 1000, width: 3)
        needsComma = true
    }

    package mutating func null(_ name: StaticString) {
        key(name)
        text.append("null")
        needsComma = true
    }

    package mutating func element(_ value: String) {
        separate()
        string(value)
        needsComma = true
    }

    package mutating func element(_ value: some FixedWidthInteger) {
        separate()
        number(value)
    }

    /// Text that is JSON already: a stored fragment, an answer relayed.
    package mutating func raw(_ name: StaticString, _ json: [UInt8]) {
        key(name)
        text.append(json)
        needsComma = true
    }

    /// The members of an object that was written elsewhere, `{...}`.
    package mutating func splice(_ object: [UInt8]) {
        guard object.count > 2 else { return }
        separate()
        object.withUnsafeBufferPointer { text.append(UnsafeBufferPointer(rebasing: $0[1..<($0.count - 1)])) }
        needsComma = true
    }

    /// A line's end, and a fresh start behind it.
    package mutating func newline() {
        text.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    /// Names are written in the source: nothing in them needs an escape.
    private mutating func key(_ name: StaticString) {
        separate()
        text.append(key: name)
    }

    private mutating func key(text name: String) {
        separate()
        string(name)
        text.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func enclose(
        _ opening: UInt8, _ closing: UInt8, _ content: (inout JSONText) throws -> Void
    ) rethrows {
        separate()
        text.append(opening)
        try content(&self)
        text.append(closing)
        needsComma = true
    }

    private mutating func number(_ value: some FixedWidthInteger) {
        if value < 0 { text.append(UInt8(ascii: "-")) }
        text.append(decimal: UInt64(value.magnitude))
        needsComma = true
    }

    private mutating func quoted(_ write: (inout ByteText) -> Void) {
        text.append(UInt8(ascii: "\""))
        write(&text)
        text.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// RFC 8259 section 7: quote, backslash and control characters are escaped, everything else stands as UTF-8.
    private mutating func string(_ value: String) {
        text.append(UInt8(ascii: "\""))
        value.withBytes { bytes in
            // Most texts need no escape, and are copied in one go.
            if bytes.holdsAny(below: 0x20, or: UInt8(ascii: "\""), UInt8(ascii: "\\")) {
                for byte in bytes { escape(byte) }
            } else {
                text.append(bytes)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            text.append(UInt8(ascii: "\\"))
            text.append(byte)
        case 0..<0x20:
            text.append("\\u00")
            text.append(UInt8.hexDigits[Int(byte >> 4)])
            text.append(UInt8.hexDigits[Int(byte & 15)])
        default:
            text.append(byte)
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
        number(value)
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
        text.append("null")
        needsComma = true
    }
}
