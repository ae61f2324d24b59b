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

    init(_ normalized: Normalized, in outbox: any Outbox) async throws(Refusal) {
        let request = normalized.admitted.received.request
        self.id = request.id
        self.caller = normalized.admitted.caller
        self.skips = normalized.skips
        self.profile = normalized.patches.first?.profile
        guard !normalized.patches.isEmpty else {
            (accepted, unchanged, dispositions) = (0, 0, [])
            return
        }
        let submission = Submission(
            id: request.id, app: caller.app, origin: caller.name, patches: normalized.patches,
            received: request.received, isAwaited: request.isAwaited,
            isInsistent: request.isAwaited && normalized.app.version == .v1)
        do {
            dispositions = try await outbox.append(submission)
        } catch {
            throw Refusal(error).of(caller)
        }
        accepted = dispositions.count { $0 == .accepted }
        unchanged = dispositions.count - accepted
    }

    /// `{"accepted":n,"unchanged":n,"skipped":n,"id":"..."}`
    package var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("accepted", accepted)
            json.field("unchanged", unchanged)
            json.field("skipped", skips.count)
            json.field("id", id.description)
        }
        return json.bytes
    }
}
