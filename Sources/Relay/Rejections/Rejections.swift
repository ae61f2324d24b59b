import Synchronization

/// The requests that were refused of late, and why: in memory, bounded, gone with the process.
///
/// Refusals of one kind are one entry with a count, and under it the senders of that kind, each with what was seen of
/// its last request. So whoever floods one door from one address takes one place, and what a vendor's wrong secret
/// left stays to be found. Where places run out the one used least often goes: a sender that comes again and again
/// outlasts any number that come once.
package final class Rejections: Sendable {
    /// Together at most 1,024 senders, a few hundred bytes each.
    package static let mostKinds = 256
    package static let mostSenders = 4

    /// Since when it is kept.
    package let started: Timestamp
    /// Where a caller's credential is expected, in words: `the header X-Api-Key`.
    private let places: Mutex<[String: String]>
    private let kinds = Mutex<[RejectionKind: Rejection]>([:])

    /// - Parameter places: where each source's credential is expected, by the source's name.
    package init(places: [String: String] = [:], now: Timestamp = .now) {
        self.places = Mutex(places)
        started = now
    }

    /// The same for a configuration that was read again.
    package func expect(_ places: [String: String]) {
        self.places.withLock { $0 = places }
    }

    /// Takes note of a request if it was refused. What was answered as the upstream wishes is none, nor is a health
    /// check.
    /// - Parameter label: how a profile may be shown.
    package func note(_ exchange: Exchange, label: ProfileLabel, at now: Timestamp = .now) {
        if let kind = RejectionKind(exchange) { note(exchange, as: kind, label: label, at: now) }
    }

    func note(_ exchange: Exchange, as kind: RejectionKind, label: ProfileLabel, at now: Timestamp = .now) {
        let seen = RefusedRequest(exchange, label: label)
        kinds.withLock { kinds in
            if kinds[kind] == nil, kinds.count >= Self.mostKinds, let least = kinds.values.leastUsed {
                kinds[least.kind] = nil
            }
            kinds[kind, default: Rejection(kind, at: now)].note(seen, from: exchange.peer, at: now)
        }
    }

    /// The latest first.
    package func recent(_ filter: RejectionFilter = RejectionFilter()) -> [Rejection] {
        let matching = kinds.withLock { kinds in kinds.values.filter(filter.matches) }
        return Array(matching.sorted { ($0.last, $0.count) > ($1.last, $1.count) }.prefix(filter.limit))
    }

    /// What whoever looks at one of them should do, in a sentence.
    package func hint(for rejection: Rejection, _ sender: Rejection.Sender) -> String {
        let place = places.withLock { $0[rejection.kind.caller] }
        return RejectionHint(rejection.kind, sender.request, place: place).sentence
    }
}

/// What is asked of them; nil for all.
package struct RejectionFilter: Sendable, Equatable {
    package var caller: String?
    package var cause: String?
    package var status: Int?
    /// Those that happened then or later.
    package var since: Timestamp?
    package var limit = Rejections.mostKinds

    package init() {}

    func matches(_ rejection: Rejection) -> Bool {
        (caller ?? rejection.kind.caller) == rejection.kind.caller
            && (cause ?? rejection.kind.cause) == rejection.kind.cause
            && (status ?? rejection.kind.status) == rejection.kind.status
            && (since ?? rejection.last) <= rejection.last
    }
}

/// Refusals of one kind.
package struct Rejection: Sendable {
    /// One address that was refused so.
    package struct Sender: Sendable, Counted {
        package let address: PeerAddress
        package fileprivate(set) var count = 0
        package let first: Timestamp
        package fileprivate(set) var last: Timestamp
        /// Its last one.
        package fileprivate(set) var request: RefusedRequest
    }

    package let kind: RejectionKind
    package private(set) var count = 0
    package let first: Timestamp
    package private(set) var last: Timestamp
    /// In no order; those that are not here any more are in `count` all the same.
    package private(set) var senders: [Sender] = []

    fileprivate init(_ kind: RejectionKind, at now: Timestamp) {
        self.kind = kind
        first = now
        last = now
    }

    fileprivate mutating func note(_ request: RefusedRequest, from address: PeerAddress, at now: Timestamp) {
        count += 1
        last = now
        let place: Int
        if let known = senders.firstIndex(where: { $0.address == address }) {
            place = known
        } else {
            if senders.count >= Rejections.mostSenders, let least = senders.leastUsedIndex { senders.remove(at: least) }
            place = senders.count
            senders.append(Sender(address: address, first: now, last: now, request: request))
        }
        senders[place].count += 1
        senders[place].last = now
        senders[place].request = request
    }
}

/// What gives way to others by how often and how lately it was seen.
private protocol Counted {
    var count: Int { get }
    var last: Timestamp { get }
}

extension Rejection: Counted {}

extension Collection where Element: Counted {
    fileprivate var leastUsedIndex: Index? {
        indices.min { (self[$0].count, self[$0].last) < (self[$1].count, self[$1].last) }
    }

    fileprivate var leastUsed: Element? { leastUsedIndex.map { self[$0] } }
}
