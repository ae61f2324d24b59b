import Relay

/// The part of a URL behind `?`, taken apart at `&` and `=`.
enum QueryText {
    /// Takes every parameter of a name out of a query, and returns their values decoded. What stays is left as it was
    /// sent.
    ///
    /// Names are compared as they decode: `%74oken` is `token`, and would be to whoever reads the query next. `+` stays
    /// `+`: in tokens it is a digit of base64 that somebody forgot to encode, never a blank.
    static func take(_ name: String, from query: inout String) -> [[UInt8]] {
        var taken: [[UInt8]] = []
        var kept: [Substring.UTF8View] = []
        for parameter in query.utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            let key = parameter.prefix { $0 != UInt8(ascii: "=") }
            if decoded(key).elementsEqual(name.utf8) {
                taken.append(decoded(parameter.dropFirst(key.count + 1)))
            } else {
                kept.append(parameter)
            }
        }
        if !taken.isEmpty { query = kept.map { String(Substring($0)) }.joined(separator: "&") }
        return taken
    }

    /// RFC 3986 section 2.1. A `%` without two hexadecimal digits behind it stands for itself.
    private static func decoded(_ text: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap(\.hexDigit)
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                bytes.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
