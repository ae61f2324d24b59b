package import Relay

/// Whether the admin listener answers a request.
package enum Admission: Sendable {
    case granted
    /// Without the token.
    case unauthorized
    /// To a host that is none of ours.
    case misdirected
}

/// Under which names the admin listener may be asked where it asks for no token.
///
/// A web page on any site can point a name of its own at 127.0.0.1 and let its visitor's browser ask there (DNS
/// rebinding). Such a request has the page's name in `Host`, which a script cannot change. A number is no name that
/// could be pointed anywhere, and `localhost` with what is below it is the loopback by definition (RFC 6761 section
/// 6.3).
package struct AdmittedHosts: Sendable {
    private let names: Set<String>

    /// - Parameter names: further ones, in lower case, without a port.
    package init(_ names: [String] = []) {
        self.names = Set(names)
    }

    package func admits(_ request: Request) -> Bool {
        guard let host = request.headers["host"].map(Self.withoutPort) else { return false }
        if host.hasPrefix("["), host.hasSuffix("]") { return IPAddress(host.dropFirst().dropLast()) != nil }
        return host == "localhost" || host.hasSuffix(".localhost") || names.contains(host) || IPAddress(host) != nil
    }

    /// The reader saw to it that it is `host` or `host:port`.
    private static func withoutPort(_ field: String) -> String {
        let host = field.lowercased()
        guard let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().utf8.allSatisfy(\.isDigit) else {
            return host
        }
        return String(host[..<colon])
    }
}
