import Relay

/// What a query of the outbox's routes asks for: `state` (may be repeated), `app`, `source`, `error`, `profile`,
/// `older_than_ms`, `newer_than_ms`, `limit`, `plain`, `text`, and `name`, `path` and `from` of single routes.
struct DeskQuery {
    static let mostItems = 100_000

    private(set) var filter = DeskFilter()
    private(set) var limit = 20
    private(set) var isPlain = false
    private(set) var isText = false
    private(set) var name: DeskProfileName?
    private(set) var path: String?
    private(set) var from = DeskPlace()
    /// What `from` must be of: the change, and all that narrows it.
    private(set) var change = ""

    /// - Parameters:
    ///   - route: whose query it is.
    ///   - paused: the apps that are paused now.
    /// - Throws: a refusal that names what is wrong: a filter that is not understood must not be one that lets
    ///   everything through.
    init(
        _ query: String, of route: DeskAPI.Route, label: @escaping ProfileLabel, paused: Set<String>
    ) throws(Refusal) {
        filter.pausedApps = paused
        let narrowing = query.split(separator: "&").filter { !$0.hasPrefix("from=") }.sorted()
        change = ([route.rawValue[...]] + narrowing).joined(separator: "&")
        var states: Set<DeskState> = []
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = String(percentEncoded: pair.count == 2 ? pair[1] : "") else {
                throw .invalid("the query is not percent-encoded UTF-8")
            }
            switch pair[0] {
            case "state":
                guard let state = DeskState(rawValue: value) else {
                    let words = DeskState.allCases.map(\.rawValue).joined(separator: ", ")
                    throw .invalid("there is no state \(value); there are \(words)")
                }
                states.insert(state)
            case "app": filter.app = value
            case "source": filter.origin = value
            case "error": filter.error = value
            case "profile": filter.profile = DeskProfileName(value, label: label)
            case "older_than_ms": filter.olderThan = .milliseconds(try Self.number(value, "older_than_ms"))
            case "newer_than_ms": filter.newerThan = .milliseconds(try Self.number(value, "newer_than_ms"))
            case "limit": limit = min(Int(try Self.number(value, "limit")), Self.mostItems)
            case "plain": isPlain = true
            case "text": isText = true
            case "name": name = DeskProfileName(value, label: label)
            case "path": path = value
            case "from":
                guard let place = DeskPlace(cursor: value, of: change) else { throw Refusal(.noPlace) }
                from = place
            default: throw .invalid("there is no parameter \(pair[0])")
            }
        }
        if !states.isEmpty { filter.states = states }
    }

    private static func number(_ text: String, _ name: String) throws(Refusal) -> Int64 {
        guard let number = Int64(text), number >= 0, number <= 1 << 53 else {
            throw .invalid("\(name) is no whole number")
        }
        return number
    }
}

extension String {
    /// RFC 3986 section 2.1. Nil for half an escape and for what is not UTF-8.
    fileprivate init?(percentEncoded text: Substring) {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self.init(validating: bytes, as: UTF8.self)
    }
}
