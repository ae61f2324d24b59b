import Logging
import Relay
import Synchronization

/// Writes lines as JSON: `{"time":"...","level":"info","message":"request",...}`.
struct JSONLog: LineLog {
    private let writer: LogWriter
    private let level: LogLevel

    init(writer: LogWriter, level: LogLevel) {
        self.writer = writer
        self.level = level
    }

    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void) {
        guard self.level.value <= level else { return }
        line(level, { $0.field("message", plain: message) }, fields)
    }

    fileprivate func line(
        _ level: Logger.Level, _ message: (inout JSONText) -> Void, _ fields: (inout JSONText) -> Void
    ) {
        // Enough for nearly all of them.
        var json = JSONText(reserving: 1024)
        json.object { json in
            json.field("time", Timestamp.now)
            json.field("level", level.rawValue)
            message(&json)
            fields(&json)
        }
        json.newline()
        json.withBytes { writer.write($0) }
    }
}

/// swift-log's events, in the same form.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    private let log: JSONLog
    private let level: LogLevel

    init(writer: LogWriter, level: LogLevel) {
        log = JSONLog(writer: writer, level: level)
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
        log.line(event.level) {
            $0.field("message", event.message.description)
        } _: { json in
            LogFields(event.metadata, of: metadata, error: event.error).write(to: &json)
        }
    }
}

/// What is logged at the moment; a reload may change it.
final class LogLevel: Sendable {
    private static let levels = Logger.Level.allCases
    private let place: Atomic<Int>

    init(_ level: Logger.Level) {
        place = Atomic(Self.place(of: level))
    }

    var value: Logger.Level { Self.levels[place.load(ordering: .relaxed)] }

    func set(_ level: Logger.Level) {
        place.store(Self.place(of: level), ordering: .relaxed)
    }

    private static func place(of level: Logger.Level) -> Int { levels.firstIndex(of: level) ?? 0 }
}
