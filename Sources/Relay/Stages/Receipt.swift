/// The promise: what this counts as accepted is durable and will be delivered.
package struct Receipt: Sendable {
    package let id: UniqueID
    package let caller: Caller
    /// Patches that change what is applied or waiting; durable.
    package let accepted: Int
    /// Patches that say what is already applied or waiting.
    package let unchanged: Int
    package let skips: [Skip]
    /// Whom the first patch is about, for the request log and for a caller that waits.
    package let profile: ProfileReference?
    /// What the outbox said of each patch, in order.
    package let dispositions: [Disposition]

    /// Keeps what there is to keep.
    init(_ normalized: Normalized, in outbox: any Outbox) async throws(Refusal) {
        guard !normalized.patches.isEmpty else {
            self.init(normalized, [])
            return
        }
        do {
            self.init(normalized, try await outbox.append(Submission(normalized)))
        } catch {
            throw Refusal(error).of(normalized.admitted.caller)
        }
    }

    /// The receipt for what is known already: there is nothing to keep. Nil where that is not so, or cannot be told at
    /// once.
    init?(_ normalized: Normalized, knownTo outbox: any Outbox) {
        guard !normalized.patches.isEmpty else {
            self.init(normalized, [])
            return
        }
        // Whoever waits for Adapty's answer is known to the outbox only through an append.
        guard !normalized.admitted.received.request.isAwaited,
            let dispositions = outbox.recognize(Submission(normalized))
        else { return nil }
        self.init(normalized, dispositions)
    }

    private init(_ normalized: Normalized, _ dispositions: [Disposition]) {
        id = normalized.admitted.received.request.id
        caller = normalized.admitted.caller
        skips = normalized.skips
        profile = normalized.patches.first?.profile
        accepted = dispositions.count { $0 == .accepted }
        unchanged = dispositions.count - accepted
        self.dispositions = dispositions
    }

    /// `{"accepted":n,"unchanged":n,"skipped":n,"id":"..."}`
    package var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("accepted", accepted)
            json.field("unchanged", unchanged)
            json.field("skipped", skips.count)
            json.field("id", id)
        }
        return json.bytes
    }
}

extension Submission {
    fileprivate init(_ normalized: Normalized) {
        let request = normalized.admitted.received.request
        let caller = normalized.admitted.caller
        self.init(
            id: request.id, app: caller.app, origin: caller.name, patches: normalized.patches,
            received: request.received, isAwaited: request.isAwaited,
            isInsistent: request.isAwaited && normalized.app.version == .v1)
    }
}
