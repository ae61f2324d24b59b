import EventLoop
import Listener
import Relay
import Testing

/// PROXY headers as proxies send them.
enum ProxyHeaders {
    static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
    static let ipv4: [UInt8] = [203, 0, 113, 9, 10, 0, 0, 1, 0x1f, 0x90, 0x00, 0x50]
    static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 9, count: 16) + [
            0, 1, 0, 2,
        ]

    static func v2(command: UInt8 = 0x21, family: UInt8, _ block: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(block.count >> 8), UInt8(block.count & 255)] + block
    }
}

@Suite("The PROXY header")
struct ProxyHeaderTests {
    private static let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

    @Test(
        "version 1 names the client, or says that it cannot",
        arguments: [
            ("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n", "203.0.113.9"),
            ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
            ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0"),
            ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1"),
            ("PROXY TCP6 ::ffff:203.0.113.9 ::ffff:10.0.0.1 1 2\r\n", "203.0.113.9"),
            ("PROXY TCP6 \(Self.longest) \(Self.longest) 65535 65535\r\n", Self.longest),
            ("PROXY UNKNOWN\r\n", nil), ("PROXY UNKNOWN ffff:: ::1 anything 1\r\n", nil),
        ] as [(String, String?)])
    func text(header: String, client: String?) throws {
        try expect(Array(header.utf8), client)
    }

    @Test(
        "version 2 names the client, or says that it cannot; extensions are passed over",
        arguments: [
            (ProxyHeaders.v2(family: 0x11, ProxyHeaders.ipv4), "203.0.113.9"),
            (ProxyHeaders.v2(family: 0x11, ProxyHeaders.ipv4 + [4, 0, 1, 7]), "203.0.113.9"),
            (
                ProxyHeaders.v2(family: 0x11, ProxyHeaders.ipv4 + .init(repeating: 4, count: 4096 - 28)), "203.0.113.9"
            ),
            (ProxyHeaders.v2(family: 0x21, ProxyHeaders.ipv6), "2001:db8::1"),
            // LOCAL, whatever its family says.
            (ProxyHeaders.v2(command: 0x20, family: 0x00, []), nil),
            (ProxyHeaders.v2(command: 0x20, family: 0x11, ProxyHeaders.ipv4), nil),
            (ProxyHeaders.v2(command: 0x20, family: 0xff, [1, 2, 3]), nil),
            (ProxyHeaders.v2(family: 0x00, [1, 2, 3]), nil),
            (ProxyHeaders.v2(family: 0x12, ProxyHeaders.ipv4), nil),
            (ProxyHeaders.v2(family: 0x31, .init(repeating: 0, count: 216)), nil),
        ] as [([UInt8], String?)])
    func binary(header: [UInt8], client: String?) throws {
        try expect(header, client)
    }

    /// The header alone, with a request behind it, and every truncation of it.
    private func expect(_ header: [UInt8], _ client: String?) throws {
        let source: ProxyHeader.Source = try client.map { .address(try #require(IPAddress($0))) } ?? .proxy
        #expect(ProxyHeader(header) == .header(source, length: header.count))
        #expect(ProxyHeader(header + "GET / HTTP/1.1\r\n".utf8) == .header(source, length: header.count))
        #expect(ProxyHeader(header + header) == .header(source, length: header.count))
        for count in 0..<header.count { #expect(ProxyHeader(header[..<count]) == .needsMore, "\(count)") }
    }

    @Test(
        "what is no header of version 1 is refused",
        arguments: [
            "GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\tTCP4", "PROXY \r\n", "PROXY TCP4\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
            "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
            "PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX",
            "PROXY \u{301}\r\n", "PROXY TCP4 \u{301}1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n",
            "PROXY UNKNOWN" + String(repeating: "x", count: 94), "PROXY UNKNOWNX\r\n", "PROXY unknown\r\n",
        ])
    func badText(header: String) {
        #expect(ProxyHeader(Array(header.utf8)) == .malformed)
    }

    @Test(
        "what is no header of version 2 is refused",
        arguments: [
            [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0b], Array("\r\n\r\nGET".utf8),
            ProxyHeaders.v2(command: 0x11, family: 0x11, ProxyHeaders.ipv4),
            ProxyHeaders.v2(command: 0x22, family: 0x11, ProxyHeaders.ipv4),
            ProxyHeaders.v2(family: 0x11, ProxyHeaders.ipv4.dropLast()),
            ProxyHeaders.v2(family: 0x21, ProxyHeaders.ipv4), ProxyHeaders.v2(family: 0x31, ProxyHeaders.ipv6),
            ProxyHeaders.v2(family: 0x10, ProxyHeaders.ipv4), ProxyHeaders.v2(family: 0x41, ProxyHeaders.ipv4),
            ProxyHeaders.v2(family: 0x11, .init(repeating: 0, count: 4081)),
        ] as [[UInt8]])
    func badBinary(header: [UInt8]) {
        #expect(ProxyHeader(header) == .malformed)
    }
}
