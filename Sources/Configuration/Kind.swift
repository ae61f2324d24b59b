import EventLoop
import Relay

/// A kind of value: how it is read from text, and how it is written where the effective configuration is shown.
struct Kind<Value> {
    /// What belongs here, with an example: "a duration such as 250ms, 5s, 10m, 72h or 30d".
    let name: String
    let read: (String) throws(Wrong) -> Value
    let write: (Value) -> String

    init(_ name: String, read: @escaping (String) throws(Wrong) -> Value, write: @escaping (Value) -> String) {
        self.name = name
        self.read = read
        self.write = write
    }

    /// - Parameter read: gives nil for text that is not of this kind.
    init(_ name: String, write: @escaping (Value) -> String, read: @escaping (String) -> Value?) {
        self.init(
            name,
            read: { text throws(Wrong) in
                guard let value = read(text) else { throw Wrong("this is not \(name)") }
                return value
            }, write: write)
    }
}

/// Why a text is not of the kind it should be: one sentence, which does not show the text.
struct Wrong: Error {
    let sentence: String

    init(_ sentence: String) {
        self.sentence = sentence
    }
}

extension Kind<String> {
    /// Text that is not empty, and has no control characters.
    static func text(_ name: String) -> Kind<String> {
        Kind(name, write: { $0 }) { text in
            text.isEmpty || text.utf8.contains(where: \.isControl) ? nil : text
        }
    }

    /// Without a scheme and a port; in lower case, as names of hosts are compared.
    static var hostName: Kind<String> {
        Kind("the name of a host, such as patchbay.internal", write: { $0 }) { text in
            let isName = text.utf8.allSatisfy { $0.isLetterOrDigit || "-._".utf8.contains($0) }
            return isName && !text.isEmpty && text.utf8.count <= 253 ? text.lowercased() : nil
        }
    }

    static var headerName: Kind<String> {
        Kind("the name of a header, such as X-Api-Key", write: { $0 }) { $0.isHeaderName ? $0 : nil }
    }

    /// Where a value stands in a payload: a JSON pointer (RFC 6901), or the name of a parameter in a query or a form.
    static var place: Kind<String> {
        Kind("a JSON pointer such as /user/id, or the name of a parameter", write: { $0 }) { text in
            guard !text.isEmpty, !text.utf8.contains(where: \.isControl) else { return nil }
            guard text.hasPrefix("/") else { return text }
            let isEscapedWell = text.utf8.split(separator: UInt8(ascii: "~"), omittingEmptySubsequences: false)
                .dropFirst().allSatisfy { $0.first == UInt8(ascii: "0") || $0.first == UInt8(ascii: "1") }
            return isEscapedWell ? text : nil
        }
    }
}

extension Kind<Network> {
    /// A network in CIDR notation; a lone address is a network of its own. Written with its prefix length.
    static var network: Kind<Network> {
        Kind("a network such as 10.0.0.0/8 or 2001:db8::/32", write: { $0.description }, read: { Network($0) })
    }
}

extension Kind<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Kind<Int> {
        Kind("a whole number from \(range.lowerBound) to \(range.upperBound)", write: { String($0) }) { text in
            Int(digits: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Kind<Int> {
    /// By their usual names; whichever is written, it is powers of 1024.
    private static var units: [(names: [String], bytes: Int)] {
        [
            (["gib", "gb", "g"], 1 << 30), (["mib", "mb", "m"], 1 << 20), (["kib", "kb", "k"], 1 << 10),
            (["", "b"], 1),
        ]
    }

    /// A number of bytes.
    static func size(_ range: ClosedRange<Int>) -> Kind<Int> {
        let name = "a size from \(write(range.lowerBound)) to \(write(range.upperBound)), such as 262144, 256KiB or 4m"
        return Kind(name, write: write) { text in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            let name = text.dropFirst(digits.count).trimmingPrefix(" ").lowercased()
            guard let count = Int(digits: digits), let unit = units.first(where: { $0.names.contains(name) }) else {
                return nil
            }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
            return !overflow && range.contains(bytes) ? bytes : nil
        }
    }

    /// In the largest unit that divides it.
    private static func write(_ bytes: Int) -> String {
        for (bound, name) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        where bytes > 0 && bytes.isMultiple(of: bound) {
            return "\(bytes / bound)\(name)"
        }
        return String(bytes)
    }
}

extension Kind<Bool> {
    static var flag: Kind<Bool> {
        Kind("true or false", write: { String($0) }) { Bool($0) }
    }
}

extension Kind<Int?> {
    /// A count, or `none` for no limit.
    static func most(_ limit: Int) -> Kind<Int?> {
        let number = Kind<Int>.integer(1...limit)
        return Kind(
            "\(number.name), or none",
            read: { text throws(Wrong) in
                if text == "none" { return nil }
                guard let count = try? number.read(text) else { throw Wrong("this is not \(number.name), or none") }
                return count
            }, write: { $0.map(String.init) ?? "none" })
    }
}

extension Kind where Value: RawRepresentable<String> & CaseIterable {
    /// One of a few words.
    static var choice: Kind {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Kind("one of \(words)", write: { $0.rawValue }) { Value(rawValue: $0) }
    }
}

extension Kind<SocketAddress> {
    static var address: Kind<SocketAddress> {
        Kind(
            "a numeric address and port such as 127.0.0.1:8080 or [::1]:8080", write: { $0.description },
            read: { SocketAddress($0) })
    }
}

extension Kind<Rate?> {
    /// A rate, or `none` for no limit.
    static var limit: Kind<Rate?> {
        Kind(
            "a rate such as 1000/s, 40000/min, 5/h or 20/s burst 100, or none",
            read: { text throws(Wrong) in
                if text == "none" { return nil }
                guard let rate = Rate(text) else { throw Wrong("this is not \(Self.limit.name)") }
                return rate
            }, write: { $0?.description ?? "none" })
    }
}

extension Kind<Duration> {
    private static var units: [(name: String, milliseconds: Int)] {
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]
    }

    /// More than nothing, and at most ten years.
    static var duration: Kind<Duration> {
        Kind("a duration such as 250ms, 5s, 10m, 72h or 30d", write: write) { text in
            read(text).flatMap { $0 > .zero ? $0 : nil }
        }
    }

    /// The same, or `0s`.
    static var delay: Kind<Duration> {
        Kind("a duration such as 0s, 250ms, 5s or 10m", write: write, read: read)
    }

    private static func read(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits: digits),
            let unit = units.first(where: { $0.name == text.dropFirst(digits.count) })
        else { return nil }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds <= 3650 * 86_400_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// In the largest unit that divides it.
    private static func write(_ duration: Duration) -> String {
        let milliseconds = Int(duration.milliseconds)
        guard milliseconds > 0, let unit = units.first(where: { milliseconds % $0.milliseconds == 0 }) else {
            return "0s"
        }
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}

extension Duration {
    /// As it is written in the configuration: 250ms, 5s, 10m, 72h or 30d.
    package init?(written text: String) {
        guard let duration = try? Kind<Duration>.delay.read(text) else { return nil }
        self = duration
    }
}

/// A file and what stood in it when the configuration was read.
package struct FoundFile: Sendable, Equatable {
    package let path: String
    package let bytes: [UInt8]
}

extension Kind<FoundFile> {
    /// The path of a file, which is read. Shown as its path.
    static func file(in surroundings: Surroundings) -> Kind<FoundFile> {
        let path = Kind<String>.text("the path of a file")
        return Kind(
            path.name,
            read: { text throws(Wrong) in
                let path = try path.read(text)
                do {
                    return FoundFile(path: path, bytes: try surroundings.contents(path))
                } catch {
                    throw Wrong("the file \(path) cannot be read: \(error)")
                }
            }, write: { $0.path })
    }
}

/// A value that is shown as where it was found, and may have changed there.
protocol Followed {
    /// Another number where something else was found, in this process.
    var fingerprint: Int { get }
}

extension FoundSecret: Followed {
    var fingerprint: Int { secret.reveal(\.hashValue) }
}

extension FoundKey: Followed {
    var fingerprint: Int { key.key.reveal(\.hashValue) }
}

extension FoundFile: Followed {
    var fingerprint: Int { bytes.hashValue }
}

extension Kind<FoundSecret> {
    /// A reference to a secret, followed. Shown as where it was found.
    /// - Parameter hasLines: whether it may have several lines, as PEM has.
    static func secret(in surroundings: Surroundings, hasLines: Bool = false) -> Kind<FoundSecret> {
        Kind(
            "env:NAME or file:PATH",
            read: { text throws(Wrong) in
                guard let reference = SecretReference(text) else {
                    throw Wrong("a secret never stands in this file itself; write env:NAME or file:PATH")
                }
                return try surroundings.find(reference, hasLines: hasLines)
            }, write: { "\($0.secret) from \($0.reference)" })
    }
}
