import Relay

/// The path of a hook: `/hooks/{source}`, and behind that the token of a source that has it there.
enum PathText {
    /// Takes the token out, decoded; nil where nothing follows the source's name.
    static func takeToken(from path: inout String) -> ArraySlice<UInt8>? {
        let bytes = Array(path.utf8)
        let slashes = bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }
        guard slashes.count > 2 else { return nil }
        path = String(decoding: bytes[..<slashes[2]], as: UTF8.self)
        var token = bytes[slashes[2]...].dropFirst()
        // A slash at the end of a path is optional.
        if token.last == UInt8(ascii: "/") { token.removeLast() }
        return token.percentDecoded
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
