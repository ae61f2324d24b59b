import Relay

extension Kind<String> {
    /// An origin exactly as browsers write it in `Origin` (RFC 6454 section 6.2): requests are compared with it byte
    /// for byte, so that one in another form would never be met.
    static var origin: Kind<String> {
        Kind(
            "an origin such as https://app.example.com or http://localhost:3000",
            read: { text throws(Wrong) in
                if text == "*" { throw Wrong("this would let in every page there is; list the origins of yours") }
                if text == "null" {
                    throw Wrong("null is the origin of files and frames of anybody's; it cannot be allowed")
                }
                guard let origin = SplitOrigin(text) else { throw Wrong("this is not \(Self.origin.name)") }
                guard origin.rest.isEmpty else {
                    throw Wrong("an origin ends with its host or port; leave out the / and what follows")
                }
                guard text.utf8.allSatisfy({ !(0x41...0x5a).contains($0) }) else {
                    throw Wrong("browsers write an origin in lower case; so must this be")
                }
                guard !origin.hasOwnPort else {
                    throw Wrong("browsers leave out the port that the scheme has anyway; so must this")
                }
                return text
            }, write: { $0 })
    }
}

/// RFC 6454 section 4. Other schemes than the web's are those of apps made of pages: `capacitor://localhost`.
private struct SplitOrigin {
    /// What follows the host and port.
    let rest: Substring
    /// It names the port that it would have anyway.
    let hasOwnPort: Bool

    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
        let scheme = text[..<colon]
        guard let first = scheme.utf8.first, first.isLetterOrDigit, !(0x30...0x39).contains(first),
            scheme.utf8.allSatisfy({ $0.isLetterOrDigit || "+-.".utf8.contains($0) })
        else { return nil }
        let authority = text[colon...].dropFirst(3)
        let end = authority.firstIndex { "/?#".contains($0) } ?? authority.endIndex
        rest = authority[end...]
        var host = authority[..<end]
        var port: Substring?
        if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        if let port {
            guard let number = Int(digits: port), (1...65535).contains(number), !port.hasPrefix("0") else { return nil }
        }
        let isAddress = host.hasPrefix("[") && host.hasSuffix("]") && host.contains(":")
        let letters = isAddress ? host.dropFirst().dropLast() : host
        guard host.utf8.count <= 255, letters.utf8.contains(where: \.isLetterOrDigit),
            letters.utf8.allSatisfy({ $0.isLetterOrDigit || (isAddress ? ":." : "-._").utf8.contains($0) })
        else { return nil }
        hasOwnPort = port != nil && port == Self.ownPorts[scheme.lowercased()]
    }

    private static let ownPorts: [String: Substring] = ["http": "80", "https": "443"]
}
