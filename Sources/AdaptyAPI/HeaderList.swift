import CCurl
import Relay

/// The owner of a list of header lines that does not change: what every request with one key carries.
///
/// Unchecked: libcurl reads it, on any loop, and nobody writes it once it is made.
final class HeaderList: @unchecked Sendable {
    let first: UnsafeMutablePointer<curl_slist>?

    /// None.
    init() {
        first = nil
    }

    /// - Parameter without: headers that libcurl would add of itself and shall not.
    init(_ fields: [(name: String, value: [UInt8])], without: [String] = []) throws(HeaderRefusal) {
        var lines: [[UInt8]] = []
        for (name, value) in fields {
            try HeaderRefusal.check(name, value)
            lines.append(Array(name.utf8) + Array(": ".utf8) + value + [0])
        }
        // A name with nothing behind its colon takes libcurl's own header of that name away.
        for name in without { lines.append(Array(name.utf8) + Array(":".utf8) + [0]) }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            // Copies the line. Nil only without memory, where nothing else would work either.
            list = line.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { curl_slist_append(list, $0.baseAddress) }
            }
            precondition(list != nil, "curl_slist_append")
        }
        first = list
    }

    deinit {
        curl_slist_free_all(first)
    }
}

/// Why a value cannot be sent as a header. Never quotes it.
struct HeaderRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    let name: String
    let reason: String

    var description: String { "\(name) \(reason)" }

    /// libcurl writes a value as it is, CR, LF and all: whoever controls one could add headers, or a whole request. So
    /// every value is checked where it becomes a line, whatever was checked before. An empty one would take the header
    /// away.
    static func check(_ name: String, _ value: some Collection<UInt8>) throws(HeaderRefusal) {
        guard !value.isEmpty else { throw HeaderRefusal(name: name, reason: "is empty") }
        guard value.allSatisfy({ !$0.isControl }) else {
            throw HeaderRefusal(name: name, reason: "has a control character")
        }
    }
}
