import Logging
import Relay

/// Writes swift-log's events as JSON lines: `{"time":"...","level":"info","message":"request",...}`.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    private let writer: LogWriter

    init(writer: LogWriter, level: Logger.Level) {
        self.writer = writer
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var json = JSONText(reserving: 512)
        json.object { json in
            json.field("time", Timestamp.now)
            json.field("level", event.level.rawValue)
            json.field("message", event.message.description)
            for (key, value) in metadata { json.field(key, value.description) }
            for (key, value) in event.metadata ?? [:] {
                // A line's fields were written once already; they are taken as they are.
                if key == LogLine.key, case .stringConvertible(let line as LogLine) = value {
                    json.splice(line.json)
                } else {
                    json.field(key, value.description)
                }
            }
            if let error = event.error { json.field("error", String(describing: error)) }
        }
        json.newline()
        writer.write(json.bytes)
    }
}
