package import Logging

/// Where the lines go that every request and every attempt writes. swift-log's own way to a handler makes a dictionary
/// and several boxes of each line, which cost more than the line; everything that is said now and then goes that way.
package protocol LineLog: Sendable {
    /// Writes one line, if lines of its level are written: time, level and message, and behind them the fields.
    func write(_ level: Logger.Level, _ message: StaticString, _ fields: (inout JSONText) -> Void)
}

/// A log line's fields as they will be written: one value in swift-log's metadata instead of a dictionary of them.
package struct LogLine: Sendable, CustomStringConvertible {
    /// The key under which a handler finds it.
    package static let key = "line"

    /// `{"key":value,...}`
    package let json: [UInt8]

    package init(_ content: (inout JSONText) -> Void) {
        var json = JSONText()
        json.object(content)
        self.json = json.bytes
    }

    /// Whether there is a field of that name, in it or in an object of it.
    package func has(_ key: String) -> Bool { description.contains("\"\(key)\":") }

    package var metadata: Logger.Metadata { [Self.key: .stringConvertible(self)] }

    /// For handlers that do not know it.
    package var description: String { String(decoding: json, as: UTF8.self) }
}
