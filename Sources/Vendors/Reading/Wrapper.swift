import Relay

/// What a forwarder put around an event: CloudEvents, `{"data":{...}}`, a form's `payload=` that holds JSON. Looked
/// into where the outside has none of the ids, and once.
struct Wrapper {
    let name: String
    /// An object or array.
    let content: JSONValue

    private static let names = ["data", "payload", "body", "data_base64"].map { (text: $0, bytes: Array($0.utf8)) }

    /// Nil where nothing is wrapped.
    static func find(in event: JSONValue, using nested: NestedDocuments) -> Wrapper? {
        for (name, bytes) in names {
            guard let value = event[bytes] else { continue }
            if value.isFull { return Wrapper(name: name, content: value) }
            guard value.kind == .string, let document = read(value.text, isBase64: name == "data_base64", nested) else {
                continue
            }
            return Wrapper(name: name, content: document)
        }
        return nil
    }

    private static func read(
        _ text: UnsafeBufferPointer<UInt8>, isBase64: Bool, _ nested: NestedDocuments
    ) -> JSONValue? {
        guard isBase64 else { return nested.read(text) }
        var decoded: [UInt8] = []
        guard Base64.decode(text, into: &decoded) else { return nil }
        return decoded.withUnsafeBufferPointer { nested.read($0) }
    }
}
