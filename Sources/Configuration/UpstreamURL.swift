import EventLoop
import Relay

/// Where an app's upstream is: scheme, host, port and a path to put before the API's own. No user, no query, no
/// fragment.
struct UpstreamURL {
    /// Without a slash at its end.
    let text: String
    /// Whether a secret key may be sent there: under TLS, or without leaving the machine.
    let isSafe: Bool

    /// RFC 3986 section 3, as far as an upstream needs it.
    init?(_ text: String) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        let rest = text.dropFirst(scheme.utf8.count)
        guard scheme == "https" || scheme == "http", rest.hasPrefix("://") else { return nil }
        let authority = rest.dropFirst(3).prefix { $0 != "/" }
        let path = rest.dropFirst(3 + authority.count)
        guard let host = Self.host(of: authority),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !#"?#"<>\^`{|}"#.utf8.contains($0) })
        else { return nil }
        let isLoopback = host == "localhost" || SocketAddress(host: host, port: 0)?.isLoopback == true
        isSafe = scheme == "https" || isLoopback
        self.text = path.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// The host of an authority without a user: a name, an IPv4 address, or an IPv6 address in brackets.
    private static func host(of authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        if let port { guard let number = Int(digits: port), (1...65535).contains(number) else { return nil } }
        if host.hasPrefix("["), host.hasSuffix("]") {
            let address = String(host.dropFirst().dropLast())
            return address.contains(":") && SocketAddress(host: address, port: 0) != nil ? address : nil
        }
        let isName = host.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        return isName && host.utf8.contains(where: \.isLetterOrDigit) ? host.lowercased() : nil
    }
}

extension Kind<String> {
    static var upstream: Kind<String> {
        Kind(
            "a URL such as https://api.adapty.io",
            read: { text throws(Wrong) in
                guard let url = UpstreamURL(text) else { throw Wrong("this is not \(Self.upstream.name)") }
                guard url.isSafe else { throw Wrong("an upstream off this machine must be https") }
                return url.text
            }, write: { $0 })
    }
}
