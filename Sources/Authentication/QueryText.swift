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
}
