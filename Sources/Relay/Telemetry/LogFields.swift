package import Logging

/// A log event's metadata as the fields of a line, each key once: a reader of JSON keeps one of two, and which one is
/// its own choice.
package struct LogFields {
    /// What every line has already.
    private static let ownKeys: Set<String> = ["time", "level", "message"]
    private let line: LogLine?
    private let others: Logger.Metadata

    /// What an event says of itself goes before what its logger says of all, and a `LogLine` before both.
    package init(_ event: Logger.Metadata?, of logger: Logger.Metadata, error: (any Error)?) {
        var fields = logger.merging(event ?? [:]) { $1 }
        if let error { fields["error"] = "\(error)" }
        var line: LogLine?
        if case .stringConvertible(let value as LogLine) = fields[LogLine.key] {
            line = value
            fields[LogLine.key] = nil
        }
        self.line = line
        others = fields.filter { key, _ in line?.has(key) != true }
    }

    package func write(to json: inout JSONText) {
        // A line's fields were written once already; they are taken as they are.
        if let line { json.splice(line.json) }
        for (key, value) in others {
            json.field(Self.ownKeys.contains(key) ? key + "_" : key, value.description)
        }
    }
}
