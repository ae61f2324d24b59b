import Relay

@testable import Listener

extension Fuzzer {
    /// The PROXY protocol. What was understood is understood in the same way byte by byte, and takes nothing of what
    /// stands behind it.
    static let proxyHeader = Fuzzer(
        name: "ProxyHeader", mostBytes: 512,
        words: ["PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN", "198.51.100.4 ", "2001:db8::1 ", " 443\r\n"],
        seeds: { _ in
            [
                Array("PROXY TCP4 198.51.100.4 10.0.0.1 5123 443\r\nGET / HTTP/1.1\r\n".utf8),
                Array("PROXY TCP6 2001:db8::1 fd00::1 5123 443\r\n".utf8), Array("PROXY UNKNOWN\r\n".utf8),
                signature + [0x21, 0x11, 0, 12, 198, 51, 100, 4, 10, 0, 0, 1, 0x14, 3, 1, 0xbb],
                signature + [0x21, 0x21, 0, 36] + Array(repeating: 7, count: 36), signature + [0x20, 0, 0, 0],
                signature + [0x21, 0x11, 0, 15, 198, 51, 100, 4, 10, 0, 0, 1, 0x14, 3, 1, 0xbb, 4, 0, 0],
            ]
        },
        run: { input in
            let bytes = Array(input.rest)
            let whole = ProxyHeader(bytes)
            if case .header(let source, let length) = whole {
                claim(length > 0 && length <= bytes.count && length <= ProxyHeader.mostBytes, "\(length) bytes")
                if case .address(let address) = source {
                    claim(IPAddress(address.description) == address, "an address that is none: \(address)")
                }
                for end in 0..<length { claim(ProxyHeader(bytes[..<end]) == .needsMore, "done after \(end) bytes") }
                claim(ProxyHeader(bytes[..<length]) == whole, "what follows it counts")
            }
            if whole == .malformed { claim(ProxyHeader(bytes + [0]) == .malformed, "malformed, then not") }
        })

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
}
