import Testing

@testable import Vendors

@Suite("Forms and queries")
struct ParametersTests {
    private static func read(_ text: String, with parameters: Parameters = Parameters()) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { bytes in
            guard let root = parameters.parse(bytes) else { return [] }
            return root.members.map { name, value in
                let text = value.kind == .brokenString ? "broken" : String(decoding: value.text, as: UTF8.self)
                return String(decoding: name, as: UTF8.self) + "=" + text
            }
        }
    }

    @Test(
        "are decoded into names and values, in their order",
        arguments: [
            ("a=1&b=2", ["a=1", "b=2"]), ("a=1", ["a=1"]), ("a=b=c", ["a=b=c"]), ("a=%3D%26&%61=+", ["a==&", "a= "]),
            ("n=Network1%3A%3AAutumn+20", ["n=Network1::Autumn 20"]), ("u=%D0%B6", ["u=ж"]), ("u=ж", ["u=ж"]),
            ("a=%", ["a=%"]), ("a=%4", ["a=%4"]), ("a=%4g%zz", ["a=%4g%zz"]), ("a=100%25", ["a=100%"]),
            ("=1&a=2", ["=1", "a=2"]), ("a=1;b=2", ["a=1;b=2"]), ("a=%7Badid%7D", ["a={adid}"]), ("a=%00", ["a=\u{0}"]),
            ("a=%ff", ["a=broken"]), ("a=%ED%A0%80", ["a=broken"]), ("a=\u{1F600}", ["a=\u{1F600}"]),
        ] as [(String, [String])])
    func decodes(_ text: String, _ expected: [String]) {
        #expect(Self.read(text) == expected)
    }

    @Test(
        "are read though the URL was mangled: escaped for HTML, with a second ?, behind a byte order mark",
        arguments: [
            ("?a=1", ["a=1"]), ("??a=1&b=2", ["a=1", "b=2"]), ("a=1&amp;b=2&amp;amp;c=3", ["a=1", "b=2", "amp;c=3"]),
            ("amp;a=1", ["a=1"]), ("a=1?b=2&c=3", ["a=1", "b=2", "c=3"]), ("a=1?b=2?c=3", ["a=1", "b=2", "c=3"]),
            ("a=what?", ["a=what?"]), ("a=what?b", ["a=what?b"]), ("a=1??b=2", ["a=1?", "b=2"]),
            ("a=https://x/?b=2", ["a=https://x/?b=2"]), ("a=https%3A%2f%2Fx?b=2", ["a=https://x?b=2"]),
            ("a=x%2By?b=2", ["a=x+y", "b=2"]), ("\u{FEFF}a=1", ["a=1"]), ("%EF%bb%BFa=1", ["a=1"]), ("?", []),
            ("??&", []),
        ] as [(String, [String])])
    func mangled(_ text: String, _ expected: [String]) {
        #expect(Self.read(text) == expected)
    }

    @Test("of very many marks take no longer than others")
    func marks() {
        for unit in ["?", "?a", "a=?", "?a=", "/?"] {
            let text = "a=" + String(repeating: unit, count: 200_000 / unit.utf8.count)
            let time = ContinuousClock().measure { _ = Self.read(text) }
            #expect(time < .seconds(20), "\(unit)")
        }
    }

    @Test("without a value are left out", arguments: ["", "&", "&&", "a", "a=", "a&b=&c", "=", "a=&b=&"])
    func empty(_ text: String) {
        #expect(Self.read(text) == [])
    }

    @Test("can be read one after the other, in every length")
    func reuse() {
        let parameters = Parameters()
        for count in [1, 500, 3, 4000, 2] {
            let pairs = (0..<count).map { "k\($0)=v\($0)" }
            #expect(Self.read(pairs.joined(separator: "&"), with: parameters) == pairs)
        }
        // The most parameters a length can hold.
        #expect(Self.read(String(repeating: "=1&", count: 3000), with: parameters).count == 3000)
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test(
        "is decoded in both alphabets, padded or not",
        arguments: [
            ("", ""), ("eA==", "x"), ("eA", "x"), ("eHk=", "xy"), ("eHk", "xy"), ("eHl6", "xyz"), ("Pz8/", "???"),
            ("Pz8_", "???"), ("Pj4+", ">>>"), ("Pj4-", ">>>"),
        ])
    func decodes(_ text: String, _ expected: String) {
        #expect(Self.decode(text) == Array(expected.utf8))
    }

    @Test(
        "is refused where it is something else",
        arguments: ["a", "eA=", "eA===", "=eA=", "eA==x", "e A=", "e\u{0}A=", "eHl6="])
    func refuses(_ text: String) {
        #expect(Self.decode(text) == nil)
    }

    private static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        return Array(text.utf8).withUnsafeBufferPointer { Base64.decode($0, into: &bytes) } ? bytes : nil
    }
}
