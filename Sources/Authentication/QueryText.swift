import Relay

/// The part of a URL behind `?`, taken apart at `&` and `=`.
enum QueryText {
    /// Takes every parameter of a name out of a query, and returns their values decoded. What stays is left as it was
    /// sent.
    ///
    /// Names are compared as they decode: `%74oken` is `token`, and would be to whoever reads the query next. `+` stays
    /// `+`: in tokens it is a digit of base64 that somebody forgot to encode, never a blank. A URL that was escaped for
    /// HTML divides with `&amp;`; one that was appended to has a second `?`, which ends the token, or comes before it.
    static func take(_ name: [UInt8], from query: inout String) -> [ArraySlice<UInt8>] {
        let bytes = Array(query.utf8)
        // Nearly no query has one.
        let hasMark = bytes.contains(UInt8(ascii: "?"))
        var taken: [ArraySlice<UInt8>] = []
        var kept: [UInt8] = []
        var start = bytes.prefix { $0 == UInt8(ascii: "?") }.count
        var keepsOne = false
        while start <= bytes.count {
            if start > 0, start + 4 <= bytes.count, bytes[start] == UInt8(ascii: "a"),
                bytes[start..<start + 4].elementsEqual("amp;".utf8)
            {
                start += 4
            }
            let next = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            let end = hasMark ? end(of: name, in: bytes, from: start, next) : next
            let parameter = bytes[start..<end]
            let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? end
            if parameter[..<equals].percentDecoded == name[...] {
                taken.append(parameter[equals...].dropFirst().percentDecoded)
            } else {
                if keepsOne { kept.append(UInt8(ascii: "&")) }
                kept += parameter
                keepsOne = true
            }
            start = end + 1
        }
        if !taken.isEmpty { query = kept.isEmpty ? "" : String(decoding: kept, as: UTF8.self) }
        return taken
    }

    /// Where a parameter ends: at the next `&`, or at a `?` that stands right before the name that is looked for, or in
    /// its value before a further parameter. Other marks are left to whoever reads the query next.
    /// - Parameter end: the next `&`.
    private static func end(of name: [UInt8], in bytes: [UInt8], from start: Int, _ end: Int) -> Int {
        let parameter = bytes[start..<end]
        guard let mark = parameter.firstIndex(of: UInt8(ascii: "?")), mark > start else { return end }
        let rest = parameter[(mark + 1)...]
        guard let equals = rest.firstIndex(of: UInt8(ascii: "=")), equals > mark + 1 else { return end }
        let before = parameter[..<mark]
        // An address has parameters of its own.
        guard !before.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }) else { return end }
        let isNamed = parameter.starts(with: name + [UInt8(ascii: "=")])
        return isNamed || rest[..<equals].elementsEqual(name) ? mark : end
    }
}
