/// One decoder, and what must be so of whatever it is fed. Beside the claims here, every run watches for traps, for
/// memory misused (AddressSanitizer), and for inputs that take too long or too much.
struct Fuzzer: Sendable {
    let name: String
    /// The longest input, in bytes. Short ones are tried faster; limits that are longer are lowered by the fuzzer.
    var mostBytes = 1024
    /// Words of the format, which mutation alone would be long in finding.
    var words: [String] = []
    /// Where to begin, read from where the samples stand.
    let seeds: @Sendable (Repository) throws -> [[UInt8]]
    let run: @Sendable (inout Input) -> Void

    static let all: [Fuzzer] = [
        .reader, .compressed, .proxyHeader, .clientAddress, .query, .json, .repair, .vendors, .clientPayload, .schemes,
        .signatures, .profileTokens, .upstreamAnswer, .outbox, .configuration,
    ]
}

/// The bytes of one run. Choices are taken from its front, the rest is what the decoder reads.
struct Input {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// 0 where nothing is left.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func choice<Element>(of elements: [Element]) -> Element { elements[Int(byte()) % elements.count] }

    mutating func integer() -> Int64 {
        (0..<8).reduce(0) { (value: Int64, _) in value << 8 | Int64(byte()) }
    }

    /// As many bytes as there are, at most `count`.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// Up to the next zero byte, which is taken too; everything where there is none.
    mutating func part() -> [UInt8] {
        let part = rest.prefix { $0 != 0 }
        rest = rest.dropFirst(part.count + 1)
        return Array(part)
    }

    var text: String { String(decoding: rest, as: UTF8.self) }
}
