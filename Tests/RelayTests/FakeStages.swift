import Relay
import Synchronization

/// Stages that do as they are told, so that what is between them can be seen.
struct FakeStages: Authenticator, Limiter, Normalizer, Outbox, Reader {
    var authentication: Refusal?
    var limit: Refusal?
    var profileLimit: Refusal?
    var reading: Refusal?
    var normalization = Normalization(patches: [.sample])
    var storing: OutboxFailure?
    var dispositions: [Disposition] = [.accepted]
    var version = APIVersion.v2
    var client = ClientKey(name: "ios", app: "main", scopes: [.write])
    var attempt = Attempt(
        outcome: .applied, answer: UpstreamAnswer(status: 200, body: Array("{}".utf8)), duration: .zero)
    /// Names a client's profile where there is no payload.
    var profile: Result<ProfileReference, Refusal> = .success(Patch.sample.profile)
    let submitted = Recorder<Submission>()
    let limited = Recorder<ProfileReference>()
    let read = Recorder<ProfileReference>()

    func authenticate(_ received: inout Received) throws(Refusal) -> Caller {
        if let authentication { throw authentication }
        if case .hook(let source) = received.entrance { return .source(source) }
        return .client(client)
    }
    func admit(_ authenticated: Authenticated) throws(Refusal) { if let limit { throw limit } }
    func wouldAdmit(_ authenticated: Authenticated) throws(Refusal) { if let limit { throw limit } }
    func mayProve(_ received: Received) throws(Refusal) {}
    func failed(_ received: Received) {}
    func admit(_ profile: ProfileReference, of caller: Caller) throws(Refusal) {
        limited.add(profile)
        if let profileLimit { throw profileLimit }
    }
    func normalize(
        _ request: Request, through entrance: Entrance, of subject: Subject?
    ) throws(Refusal) -> Normalization {
        if let reading { throw reading }
        return normalization
    }
    func profile(of request: Request, of subject: Subject?) throws(Refusal) -> ProfileReference { try profile.get() }
    func knows(vendor: String) -> Bool { vendorNames.contains(vendor) }
    var vendorNames: [String] { ["amplitude", "branch"] }
    func dialect(of vendor: String) -> any Dialect { PlainDialect() }
    func append(_ submission: Submission) async throws(OutboxFailure) -> [Disposition] {
        if let storing { throw storing }
        submitted.add(submission)
        return dispositions
    }
    func claim(_ limit: Int, of app: String, at now: Timestamp, probe: ProbeOrder?) async -> Claim {
        Claim(deliveries: [], nextDue: nil, hasMore: false)
    }
    func settle(_ delivery: Delivery, as settlement: Settlement) {}
    func census() async -> [Census] { [] }
    var isWritable: Bool { storing == nil }
    func read(_ profile: ProfileReference) async -> Attempt {
        read.add(profile)
        return attempt
    }
}

final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    func add(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}

extension Patch {
    static let sample = Patch(
        profile: .profileID(UniqueID(high: 1, low: 2)), identifiers: IntegrationIdentifiers([.appsflyerID: "1-2"]))
}

extension Response {
    var text: String { String(decoding: body, as: UTF8.self) }
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

enum DropInPath {
    static let suffix = "server-side-api/integration/profile/set/integration-identifiers"
    static let v1 = "/api/v1/" + suffix
    static let v2 = "/api/v2/" + suffix
}
