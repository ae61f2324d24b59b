import ArgumentParser
import Configuration
import Relay

/// Which of what is undelivered.
struct OutboxFilterOptions: ParsableArguments {
    @Option(help: "waiting, retrying, missing, in_flight, paused or dead. Repeat for more.")
    var state: [String] = []

    @Option(help: "Of this app.")
    var app: String?

    @Option(help: "Brought by this source or client key.")
    var source: String?

    @Option(help: "Of this profile: its id, or what stands in the log for it.")
    var profile: String?

    @Option(help: "Whose last failure has this error code.")
    var error: String?

    @Option(help: "That waits, or is dead, for at least so long: 90s, 10m, 72h or 30d.")
    var olderThan: String?

    @Option(help: "That waits, or is dead, for at most so long.")
    var newerThan: String?

    var states: Set<DeskState> {
        get throws {
            Set(
                try state.map { name in
                    guard let state = DeskState(rawValue: name) else {
                        let names = DeskState.allCases.map(\.rawValue).joined(separator: ", ")
                        throw ValidationError("--state: there is no \(name). There are \(names).")
                    }
                    return state
                })
        }
    }

    /// All but the states.
    var query: OutboxQuery {
        get throws {
            var query = OutboxQuery()
            for (name, value) in [("app", app), ("source", source), ("profile", profile), ("error", error)] {
                if let value { query.add(name, value) }
            }
            for (name, value) in [("older_than_ms", olderThan), ("newer_than_ms", newerThan)] {
                guard let value else { continue }
                guard let duration = Duration(written: value) else {
                    throw ValidationError("\(value) is no duration such as 90s, 10m, 72h or 30d.")
                }
                query.add(name, String(duration.milliseconds))
            }
            return query
        }
    }
}

/// A query, encoded as it grows.
struct OutboxQuery: Sendable {
    private(set) var text = ""

    var isEmpty: Bool { text.isEmpty }

    mutating func add(_ states: Set<DeskState>) {
        for state in states.sorted(by: { $0.rawValue < $1.rawValue }) { add("state", state.rawValue) }
    }

    /// RFC 3986 section 2.3: all but the unreserved characters is percent-encoded.
    mutating func add(_ name: String, _ value: String = "") {
        if !text.isEmpty { text += "&" }
        text += name + "="
        for byte in value.utf8 {
            if byte.isLetterOrDigit || "-._~".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = [UInt8.hexDigits[Int(byte >> 4)], UInt8.hexDigits[Int(byte & 15)]]
                text += "%" + String(decoding: digits, as: UTF8.self)
            }
        }
    }
}
