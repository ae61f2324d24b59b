import Relay

extension Scratch {
    /// Hands over a document, or what it is only the envelope of: JSON in a JSON string, a Pub/Sub push.
    func hand(
        over root: JSONValue, _ line: Int?, isUnwrapped: Bool, _ handle: Handler
    ) throws(Refusal) {
        guard !isUnwrapped else { return try handle(.value(root), line) }
        if root.kind == .string {
            let text = root.text.payload
            guard BodyFormat.of(text) == .form || text.first == UInt8(ascii: "{") || text.first == UInt8(ascii: "[")
            else { return try handle(.value(root), line) }
            unwrapped.removeAll(keepingCapacity: true)
            unwrapped.append(contentsOf: text)
        } else if let push = PubSubPush(root) {
            if let unreadable = decode(push) { return try handle(unreadable, line) }
        } else {
            return try handle(.value(root), line)
        }
        // What was unwrapped is in the parser's own copy, which is overwritten now; `unwrapped` is ours.
        let result: Result<Void, Refusal> = unwrapped.withUnsafeBufferPointer { bytes in
            do throws(Refusal) {
                try read(bytes, as: BodyFormat.of(bytes.payload), isUnwrapped: true) {
                    (document, inner) throws(Refusal) in try handle(document, line ?? inner)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        do {
            try result.get()
        } catch {
            guard error.code == "malformed_body" else { throw error }
            try handle(.unreadable(.unreadable, "what it wraps cannot be read"), line)
        }
    }

    /// Nil where the push's data is in `unwrapped`.
    private func decode(_ push: PubSubPush) -> Document? {
        guard let data = push.data, !data.isEmpty else {
            return .unreadable(.empty, "the message.data of this Pub/Sub push is empty")
        }
        unwrapped.removeAll(keepingCapacity: true)
        guard Base64.decode(data, into: &unwrapped) else {
            return .unreadable(.unreadable, "the message.data of this Pub/Sub push is not base64")
        }
        return nil
    }
}

/// A Google Cloud Pub/Sub push: `{"message":{"data":"<base64>","messageId":"..."},"subscription":"..."}`. Known by its
/// envelope, whatever the source: Pub/Sub sends what cannot be read again for a week, so that is never refused.
private struct PubSubPush {
    /// Nil where the message has attributes only.
    let data: UnsafeBufferPointer<UInt8>?

    init?(_ root: JSONValue) {
        // It has two or three members, and most payloads more.
        guard let message = root.member("message", amongFirst: 4), message.isObject,
            message["messageId"] ?? message["message_id"] != nil
        else { return nil }
        switch message["data"] {
        case let data? where data.kind == .string: self.data = data.text
        case nil where root["subscription"] != nil: data = nil
        case let data? where data.kind == .null: self.data = nil
        default: return nil
        }
    }
}
