package import Relay

/// What a proxy says of a connection before its first byte: the PROXY protocol, versions 1 and 2, after
/// haproxy.org/download/2.9/doc/proxy-protocol.txt. A pure value: bytes in, what they come to out.
package enum ProxyHeader: Sendable, Equatable {
    /// A header may still come of it: everything so far belongs to it.
    case needsMore
    /// A header, this many bytes long.
    case header(Source, length: Int)
    /// No header, or one that says what cannot be.
    case malformed

    package enum Source: Sendable, Equatable {
        /// The proxy speaks for itself (LOCAL, as its health checks do) or cannot say for whom (UNKNOWN, and families
        /// that are not TCP): who is at the other end is the proxy.
        case proxy
        case address(IPAddress)
    }

    /// Section 2.1: a line of version 1, its CRLF included, is never longer.
    static let mostTextBytes = 107
    /// Section 2.2 allows 64 KiB of extensions in version 2. None of them is read here; this is room for those that
    /// proxies add, certificates among them.
    package static let mostBytes = 4096

    package init(_ bytes: some RandomAccessCollection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.mostBytes))
        if bytes.isPrefix(orBeginsWith: Self.signature) {
            self = Self.binary(bytes)
        } else if bytes.isPrefix(orBeginsWith: Array("PROXY ".utf8)) {
            self = Self.text(bytes)
        } else {
            self = .malformed
        }
    }

    // MARK: Version 2, section 2.2

    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    private static func binary(_ bytes: [UInt8]) -> ProxyHeader {
        // Version and command, family and protocol, length.
        if bytes.count > 12, bytes[12] != 0x20, bytes[12] != 0x21 { return .malformed }
        guard bytes.count >= 16 else { return .needsMore }
        let size = Int(bytes[14]) << 8 | Int(bytes[15])
        guard 16 + size <= mostBytes else { return .malformed }
        let isLocal = bytes[12] == 0x20
        let addresses: Int
        switch bytes[13] {
        // A LOCAL header's family is to be ignored, whatever it is.
        case _ where isLocal, 0x00: addresses = 0
        case 0x11, 0x12: addresses = 12
        case 0x21, 0x22: addresses = 36
        case 0x31, 0x32: addresses = 216
        default: return .malformed
        }
        guard size >= addresses else { return .malformed }
        guard bytes.count >= 16 + size else { return .needsMore }
        let source: Source =
            switch bytes[13] {
            case 0x11 where !isLocal: .address(IPAddress(ipv4: bytes[16..<20]))
            case 0x21 where !isLocal: .address(IPAddress(ipv6: bytes[16..<32]))
            default: .proxy
            }
        return .header(source, length: 16 + size)
    }

    // MARK: Version 1, section 2.1

    private static func text(_ bytes: [UInt8]) -> ProxyHeader {
        let line = bytes.prefix(mostTextBytes)
        guard let end = line.firstIndex(of: .carriageReturn), end + 1 < line.endIndex else {
            return line.count < mostTextBytes ? .needsMore : .malformed
        }
        guard line[end + 1] == .lineFeed else { return .malformed }
        let length = end + 2
        // By bytes: to Swift a blank and a combining mark behind it are one character, and no separator.
        let words = line[..<end].split(separator: .space, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        // What follows UNKNOWN is to be ignored.
        if words[1] == "UNKNOWN" { return .header(.proxy, length: length) }
        guard words.count == 6, let source = IPAddress(words[2]), let target = IPAddress(words[3]),
            isPort(words[4]), isPort(words[5])
        else { return .malformed }
        // By their notation: an IPv4 address mapped into IPv6 is written as IPv6.
        let isIPv6 = [words[2], words[3]].map { $0.contains(":") }
        switch words[1] {
        case "TCP4" where source.isIPv4 && target.isIPv4 && isIPv6 == [false, false]: break
        case "TCP6" where isIPv6 == [true, true]: break
        default: return .malformed
        }
        return .header(.address(source), length: length)
    }

    /// 0 to 65535, without zeros in front.
    private static func isPort(_ text: String) -> Bool {
        UInt16(text).map { String($0) == text } ?? false
    }
}

extension [UInt8] {
    fileprivate func isPrefix(orBeginsWith start: [UInt8]) -> Bool {
        prefix(start.count).elementsEqual(start.prefix(count))
    }
}
