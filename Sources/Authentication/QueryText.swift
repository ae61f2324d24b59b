import Relay

/// The part of a URL behind `?`, taken apart at `&` and `=`.
enum QueryText {
    /// Takes every parameter of a name out of a query, and returns their values decoded. What stays is left as it was
    /// sent.
    ///
    /// Names are compared as they decode: `%74oken` is `token`, and would be to whoever reads the query next. `+` stays
    /// `+`: in tokens it is a digit of base64 that somebody forgot to encode, never a blank.
    static func take(_ name: [UInt8], from query: inout String) -> [ArraySlice<UInt8>] {
        let bytes = Array(query.utf8)
        var taken: [ArraySlice<UInt8>] = []
        var kept: [UInt8] = []
        var start = 0
        var keepsOne = false
        while start <= bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            let parameter = bytes[start..<end]
            let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? end
            if decoded(parameter[..<equals]) == name[...] {
                taken.append(decoded(parameter[equals...].dropFirst()))
            } else {
                if keepsOne { kept.append(UInt8(ascii: "&")) }
                kept += parameter
                keepsOne = true
            }
            start = end + 1
        }
        if !taken.isEmpty { query = String(decoding: kept, as: UTF8.self) }
        return taken
    }

    /// RFC 3986 section 2.1. A `%` without two hexadecimal digits behind it stands for itself.
    private static func decoded(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(UInt8(ascii: "%")) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.endIndex, let high = text[index + 1].hexDigit,
                let low = text[index + 2].hexDigit
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes[...]
    }
}
