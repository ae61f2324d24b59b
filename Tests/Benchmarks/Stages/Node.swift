import Authentication
import Foundation
import RateLimit
import Relay
import SQLiteOutbox
import Synchronization
import Vendors

/// The stages put together as the program does it, for one source.
struct Node {
    static let gate = GateKeeper(
        schemes: [Sample.source.name: TokenScheme([Secret(Sample.token)], in: .query("token"))],
        clientKeys: ClientKeys([]))

    let outbox: SQLiteOutbox
    let intake: Intake
    let responder: PublicAPI

    init(limiter: any Limiter = Node.limiter()) throws {
        let outbox = try Node.outbox()
        let catalog = try Sample.catalog()
        self.outbox = outbox
        intake = Intake(
            authenticator: Self.gate, limiter: limiter, normalizer: catalog, outbox: outbox,
            apps: [Sample.source.app: App(version: .v2, reader: Nobody())])
        responder = PublicAPI(
            intake: intake, sources: [Sample.source.name: Sample.source], normalizer: catalog,
            answers: Answers(clock: ContinuousClock()), health: Health(isStoreWritable: { outbox.isWritable }))
    }

    /// The limits that a webhook meets, out of reach.
    static func limiter() -> RateLimiter {
        RateLimiter(
            Limits(
                source: Rate("1000000/s burst 1000000000"), clientKey: nil, clientAddress: nil, profile: nil,
                failures: Rate("60/min burst 100")))
    }

    // MARK: The outbox

    /// An empty one. It does nothing by itself for as long as a stage is measured.
    static func outbox() throws -> SQLiteOutbox {
        var settings = OutboxSettings()
        settings.foldAfter = .seconds(3600)
        settings.checkpointAfter = .seconds(3600)
        return try SQLiteOutbox(
            path: folder.appending(path: UUID().uuidString).path, settings: settings, onDue: { _ in })
    }

    /// Everything that waits is said to be delivered, and written. Returns when the outbox sleeps: as long as it holds
    /// what it knows of profiles, none is recognized.
    static func deliverAll(in outbox: SQLiteOutbox) async throws {
        let claim = await outbox.claim(1000, of: Sample.source.app, at: .now + .seconds(1))
        for delivery in claim.deliveries { outbox.settle(delivery, as: .applied(at: .now)) }
        await outbox.fold()
        let nothing = Submission(
            id: UniqueID(high: 1, low: 0), app: Sample.source.app, origin: Sample.source.name, patches: [],
            received: .now)
        while outbox.recognize(nothing) == nil { try await Task.sleep(for: .milliseconds(1)) }
    }

    /// Of this process, on the disk that `TMPDIR` names.
    static let folder = FileManager.default.temporaryDirectory.appending(path: "patchbay-stages-\(getpid())")
}

/// Adapty, which no webhook asks.
private struct Nobody: Reader {
    func read(_ profile: ProfileReference) async -> Attempt {
        Attempt(outcome: .abandoned, answer: nil, duration: .zero)
    }
}

/// Lets everybody in, and keeps what only the stage before can make.
final class Turnstile: Limiter {
    private let last = Mutex<Authenticated?>(nil)

    var passed: Authenticated? { last.withLock { $0 } }

    func admit(_ authenticated: Authenticated) throws(Refusal) { last.withLock { $0 = authenticated } }
    func wouldAdmit(_ authenticated: Authenticated) throws(Refusal) { try admit(authenticated) }
    func admit(_ profile: ProfileReference, of caller: Caller) throws(Refusal) {}
    func mayProve(_ received: Received) throws(Refusal) {}
    func failed(_ received: Received) {}
}
