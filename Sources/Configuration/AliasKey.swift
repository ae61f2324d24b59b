import Relay

/// Finds a YAML alias that may stand in a key, before the parser sees it.
///
/// No key of ours is an alias, and Yams compares the keys of a mapping by all that they hold: a key that is an alias of
/// aliases of aliases would keep it busy for ever, before there is a tree whose size could be bounded. An alias that is
/// a value costs the parser nothing.
///
/// This is no parser: what it takes for an alias in a key may be none, such as one in quotes behind `? `. It errs to
/// that side only where such a thing stands in the same file as an alias.
enum AliasKey {
    /// The line on which the first one stands; nil where there is none.
    static func line(in yaml: String) -> Int? {
        guard yaml.utf8.contains(UInt8(ascii: "*")) else { return nil }
        let bytes = Array(yaml.utf8)
        var line = 1
        var hasAlias = false
        /// Where a key stands that is written at length, or is a list or a mapping.
        var strangeKey: Int?
        /// The brackets that are open, and what was read last that is no blank.
        var brackets: [UInt8] = []
        var last = UInt8(ascii: "\n")
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let before = index > 0 ? bytes[index - 1] : UInt8(ascii: "\n")
            let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
            let isTokenStart = before.isBlank || "[{,:-?\n\r".utf8.contains(before)
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "#") where before.isBlank || before == UInt8(ascii: "\n"):
                while index + 1 < bytes.count, bytes[index + 1] != UInt8(ascii: "\n") { index += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                if isTokenStart { index = end(ofQuoteAt: index, in: bytes, &line) }
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if isTokenStart { brackets.append(byte) }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if !brackets.isEmpty { brackets.removeLast() }
                if bytes[(index + 1)...].first(where: { !$0.isBlank }) == UInt8(ascii: ":") { strangeKey = line }
            case UInt8(ascii: "?") where isTokenStart && (next.isBlank || next == UInt8(ascii: "\n")):
                strangeKey = line
            case UInt8(ascii: "*") where isTokenStart && !next.isBlank && next != UInt8(ascii: "\n"):
                hasAlias = true
                let name = bytes[(index + 1)...].prefix { !$0.isBlank && !"\n\r,[]{}".utf8.contains($0) }
                let behind = bytes[name.endIndex...].first { !$0.isBlank }
                let isMember = brackets.last == UInt8(ascii: "{") && "{,".utf8.contains(last)
                if isMember || name.last == UInt8(ascii: ":") || behind == UInt8(ascii: ":") { return line }
            default: break
            }
            if index < bytes.count, !bytes[index].isBlank, bytes[index] != UInt8(ascii: "\n") { last = bytes[index] }
            index += 1
            if hasAlias, let strangeKey { return strangeKey }
        }
        return nil
    }

    /// The closing quote; the last byte where there is none. Within double quotes a backslash takes what follows it.
    private static func end(ofQuoteAt start: Int, in bytes: [UInt8], _ line: inout Int) -> Int {
        let quote = bytes[start]
        var index = start + 1
        while index < bytes.count, bytes[index] != quote {
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
            if bytes[index] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { index += 1 }
            index += 1
        }
        return min(index, bytes.count - 1)
    }
}
