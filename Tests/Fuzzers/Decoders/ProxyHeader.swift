import EventLoop
import Listener
import Relay

extension Fuzzer {
    /// What a proxy says before a connection's first byte. It ends where it says it does, however much of it is there.
    static let proxyHeader = Fuzzer(
        name: "ProxyHeader", mostBytes: 512,
        words: [
            "PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "203.0.113.9 10.0.0.1 ", "2001:db8::1 ::1 ", "\r\n", " \u{301}",
        ],
        seeds: { _ in
            let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
            let text = [
                "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\nGET", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n",
                "PROXY UNKNOWN ffff:: 1\r\n",
                // The first of these ended the process once, the other was believed.
                "PROXY \u{301}\r\n", "PROXY TCP6 2001:db8:: ::1\0 1 2\r\n",
            ].map { Array($0.utf8) }
            let binary: [[UInt8]] = [
                [0x21, 0x11, 0, 12, 203, 0, 113, 9, 10, 0, 0, 1, 0x1f, 0x90, 0, 80, 0x47], [0x20, 0, 0, 0],
                [0x21, 0x21, 0, 40] + [UInt8](repeating: 9, count: 40),
                [0x21, 0x12, 0, 12] + [UInt8](repeating: 9, count: 12),
            ]
            return text + binary.map { signature + $0 }
        },
        run: { input in
            let bytes = Array(input.rest)
            guard case .header(let source, let length) = ProxyHeader(bytes) else { return }
            claim((8...min(bytes.count, ProxyHeader.mostBytes)).contains(length), "a header of \(length) bytes")
            claim(ProxyHeader(bytes[..<length]) == .header(source, length: length), "what follows it changes it")
            for count in 0..<length {
                claim(ProxyHeader(bytes[..<count]) == .needsMore, "\(count) bytes of \(length) come to something")
            }
            guard case .address(let address) = source else { return }
            claim(IPAddress(address.description) == address, "an address is written as another")
            // Of version 1 the address stands in the text.
            guard bytes.first == UInt8(ascii: "P") else { return }
            let words = bytes[..<length].split(separator: UInt8(ascii: " "))
            claim(words.count == 6, "a line of \(words.count) words")
            let isAddress = words[2].allSatisfy { $0.hexDigit != nil || ".:".utf8.contains($0) }
            claim(isAddress, "what is no address was taken for one")
        })
}
