package import Relay
import Synchronization

/// A profile as the sandbox holds it.
package struct SandboxProfile: Sendable {
    package let profile: ProfileReference
    package fileprivate(set) var identifiers = IntegrationIdentifiers()
    /// Requests that set something.
    package fileprivate(set) var updates = 0
    package fileprivate(set) var updated: Timestamp?

    /// What it holds; a field set to null is shown as null.
    func write(to json: inout JSONText) {
        json.field(profile.key, profile.value)
        json.object("identifiers") { identifiers.write(to: &$0) }
        json.field("updates", updates)
        if let updated { json.field("updated_at", updated) }
    }
}

/// The sandbox's memory, in the order in which profiles came to be.
final class SandboxProfiles: Sendable {
    private struct State {
        var profiles: [SandboxProfile] = []
        var places: [ProfileReference: Int] = [:]
        var requests = 0

        mutating func place(of profile: ProfileReference, creating: Bool) -> Int? {
            if let place = places[profile] { return place }
            guard creating else { return nil }
            places[profile] = profiles.count
            profiles.append(SandboxProfile(profile: profile))
            return profiles.count - 1
        }
    }

    private let state = Mutex(State())
    private let isOpen: Bool

    /// - Parameter isOpen: every profile exists as soon as it is named.
    init(known: [ProfileReference], isOpen: Bool) {
        self.isOpen = isOpen
        for profile in known { create(profile) }
    }

    var all: [SandboxProfile] { state.withLock { $0.profiles } }
    var requestCount: Int { state.withLock { $0.requests } }

    func countRequest() {
        state.withLock { $0.requests += 1 }
    }

    func create(_ profile: ProfileReference) {
        state.withLock { _ = $0.place(of: profile, creating: true) }
    }

    /// Nil where there is no such profile.
    func identifiers(of profile: ProfileReference) -> IntegrationIdentifiers? {
        state.withLock { state in
            state.place(of: profile, creating: isOpen).map { state.profiles[$0].identifiers }
        }
    }

    /// A partial update: what is not named stays. False where there is no such profile.
    func set(_ identifiers: IntegrationIdentifiers, of profile: ProfileReference, at time: Timestamp) -> Bool {
        state.withLock { state in
            guard let place = state.place(of: profile, creating: isOpen) else { return false }
            for (identifier, value) in identifiers.fields {
                state.profiles[place].identifiers[identifier] = value
            }
            state.profiles[place].updates += 1
            state.profiles[place].updated = time
            return true
        }
    }
}
