import Logging
import Relay
import Synchronization

/// Writes swift-log's events as JSON lines: `{"time":"...","level":"info","message":"request",...}`.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    private let writer: LogWriter
    private let level: LogLevel

    init(writer: LogWriter, level: LogLevel) {
        self.writer = writer
        self.level = level
    }

    /// Every logger's, wherever it was copied to.
    var logLevel: Logger.Level {
        get { level.value }
        nonmutating set { level.set(newValue) }
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

/// What is logged at the moment; a reload may change it.
final class LogLevel: Sendable {
    private let place: Atomic<Int>

    init(_ level: Logger.Level) {
        place = Atomic(level.place)
    }

    var value: Logger.Level { Logger.Level.allCases[place.load(ordering: .relaxed)] }

    func set(_ level: Logger.Level) {
        place.store(level.place, ordering: .relaxed)
    }
}

extension Logger.Level {
    fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
