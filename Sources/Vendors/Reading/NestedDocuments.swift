/// JSON within strings of a payload, read when a place asks for it.
final class NestedDocuments {
    private var parsers: [JSONParser] = []
    private var used = 0

    /// More of them in one event are not looked into: no vendor comes near, and each costs a walk.
    private static let most = 16

    /// Nil where the string is not an object or array.
    func read(_ text: UnsafeBufferPointer<UInt8>) -> JSONValue? {
        let text = text.payload
        guard let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "["), used < Self.most else {
            return nil
        }
        if used == parsers.count { parsers.append(JSONParser()) }
        guard let document = try? parsers[used].parse(text) else { return nil }
        used += 1
        return document
    }

    /// Forgets what was read since the mark, to read on in its place.
    func rewind(to mark: Int) { used = mark }
    var mark: Int { used }

    var capacityBytes: Int { parsers.reduce(0) { $0 + $1.capacityBytes } }
}
