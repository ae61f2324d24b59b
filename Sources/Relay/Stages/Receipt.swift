/// The promise: what this counts as accepted is durable and will be delivered.
package struct Receipt: Sendable {
    package let id: UniqueID
    package let caller: Caller
    /// Patches that change what is applied or waiting; durable.
    package let accepted: Int
    /// Patches that say what is already applied or waiting.
    package let unchanged: Int
    package let skips: [Skip]
    /// As in `Normalization`.
    package let unreadableTimes: Int
    /// As in `Normalization`.
    package let keys: [String]
    /// Whom the first patch is about, for the request log and for a caller that waits.
    package let profile: ProfileReference?
    /// What the outbox said of each patch, in order.
    package let dispositions: [Disposition]

    fileprivate init(
        id: UniqueID, caller: Caller, accepted: Int, unchanged: Int, normalized: Normalized, profile: ProfileReference?,
        dispositions: [Disposition]
    ) {
        self.id = id
        self.caller = caller
        self.accepted = accepted
        self.unchanged = unchanged
        skips = normalized.skips
        unreadableTimes = normalized.unreadableTimes
        keys = normalized.keys
        self.profile = profile
        self.dispositions = dispositions
    }

    /// `{"accepted":n,"unchanged":n,"skipped":n,"id":"..."}`
    package var json: [UInt8] {
        Self.json(accepted: accepted, unchanged: unchanged, skipped: skips.count, id)
    }

    /// The same for a request of which nothing was read.
    package static func skipped(_ id: UniqueID) -> [UInt8] {
        json(accepted: 0, unchanged: 0, skipped: 1, id)
    }

    private static func json(accepted: Int, unchanged: Int, skipped: Int, _ id: UniqueID) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("accepted", accepted)
            json.field("unchanged", unchanged)
            json.field("skipped", skipped)
            json.field("id", id)
        }
        return json.bytes
    }
}

extension Normalized {
    fileprivate var submission: Submission {
        let (request, caller) = (admitted.received.request, admitted.caller)
        return Submission(
            id: request.id, app: caller.app, origin: caller.name, patches: patches, received: request.received,
            isAwaited: request.isAwaited, isInsistent: request.isAwaited && app.version == .v1)
    }

    fileprivate func receipt(_ dispositions: [Disposition]) -> Receipt {
        let accepted = dispositions.count { $0.kind == .accepted }
        return Receipt(
            id: admitted.received.request.id, caller: admitted.caller, accepted: accepted,
            unchanged: dispositions.count - accepted, normalized: self, profile: patches.first?.profile,
            dispositions: dispositions)
    }

    /// Keeps what there is to keep.
    func kept(in outbox: any Outbox) async throws(Refusal) -> Receipt {
        guard !patches.isEmpty else { return receipt([]) }
        do {
            return receipt(try await outbox.append(submission))
        } catch {
            throw Refusal(error).of(admitted.caller)
        }
    }

    /// The receipt for a copy of a message that was answered 2xx: there is nothing to look at again. Nil for any other.
    var repeated: Receipt? {
        guard let message = admitted.received.proof.message, !patches.isEmpty,
            case .source(let source) = admitted.caller,
            source.answered.contains(message, at: admitted.received.request.received)
        else { return nil }
        return receipt(patches.map { _ in .unchangedApplied })
    }

    /// Notes that it was answered 2xx.
    func noteAnswer() {
        guard let message = admitted.received.proof.message, case .source(let source) = admitted.caller else { return }
        source.answered.remember(message, at: admitted.received.request.received)
    }

    /// The receipt for what is known already: there is nothing to keep. Nil where that is not so, or cannot be told at
    /// once.
    func recognized(by outbox: any Outbox) -> Receipt? {
        guard !patches.isEmpty else { return receipt([]) }
        // Whoever waits for Adapty's answer is known to the outbox only through an append.
        guard !admitted.received.request.isAwaited else { return nil }
        return outbox.recognize(submission).map { receipt($0) }
    }
}
