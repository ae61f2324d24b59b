import Relay

// Where a change goes on, as text that is passed back and looked into by nobody else: hexadecimal digits, of which the
// last sixteen are a sum of the others and of what is changed. What was cut, made up or belongs to another change is
// found; whoever may ask at all needs no more protection than that.

extension DeskPlace {
    /// - Parameter change: what the place is of; another change does not go on there.
    init?(cursor text: String, of change: String) {
        guard let bytes = ByteEncoding.hex.decode(text.utf8), bytes.count > 8,
            Array(bytes.suffix(8)) == Self.sum(bytes.dropLast(8), of: change),
            let words = String(validating: bytes.dropLast(8), as: UTF8.self)
        else { return nil }
        let parts = words.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let begun = Int64(parts[0]), let part = Int(parts[2]) else { return nil }
        self.init()
        self.begun = Timestamp(milliseconds: begun)
        self.part = part
        switch parts[1] {
        case "w": app = String(parts[3])
        case "d": (app, letter) = (nil, String(parts[3]))
        default: return nil
        }
    }

    func cursor(of change: String) -> String {
        let kind = app == nil ? "d" : "w"
        let bytes = Array("\(begun?.milliseconds ?? 0) \(kind) \(part) \(app ?? letter)".utf8)
        return (bytes + Self.sum(bytes[...], of: change)).hexText
    }

    /// FNV-1a, in 64 bits.
    private static func sum(_ bytes: ArraySlice<UInt8>, of change: String) -> [UInt8] {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in [Array(change.utf8), [0], Array(bytes)].joined() {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
    }
}
