import Relay

/// The path of a hook: `/hooks/{source}`, and behind that the token of a source that has it there.
enum PathText {
    /// Takes the token out, decoded; nil where nothing follows the source's name. Slashes may be doubled, and one may
    /// stand at the end.
    static func takeToken(from path: inout String) -> ArraySlice<UInt8>? {
        let bytes = Array(path.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "/"))
        guard parts.count > 1 else { return nil }
        path = String(decoding: bytes[..<parts[1].endIndex], as: UTF8.self)
        guard parts.count > 2 else { return nil }
        return bytes[parts[2].startIndex..<parts[parts.count - 1].endIndex].percentDecoded
    }
}

extension ArraySlice<UInt8> {
    /// RFC 3986 section 2.1. A `%` without two hexadecimal digits behind it stands for itself.
    var percentDecoded: ArraySlice<UInt8> {
        guard contains(UInt8(ascii: "%")) else { return self }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var index = startIndex
        while index < endIndex {
            if self[index] == UInt8(ascii: "%"), index + 2 < endIndex, let high = self[index + 1].hexDigit,
                let low = self[index + 2].hexDigit
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(self[index])
                index += 1
            }
        }
        return bytes[...]
    }
}
