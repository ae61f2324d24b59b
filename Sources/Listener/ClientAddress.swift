import EventLoop
import Relay

/// Where a request came from, as far as that is believed.
///
/// A proxy appends to `X-Forwarded-For` the address it was called from. So the list is read from its right end, for as
/// long as whoever wrote the entry is trusted; the first address that is no trusted proxy is the client. What stands to
/// the left of it was written by nobody we know.
struct ClientAddress {
    private let trusted: [Network]

    init(trusted: [Network]) {
        self.trusted = trusted
    }

    func of(_ headers: Headers, peer: PeerAddress) -> PeerAddress {
        guard isTrusted(peer.description) else { return peer }
        var client = peer
        for value in headers.values(of: "x-forwarded-for").reversed() {
            for entry in String(decoding: value, as: UTF8.self).split(separator: ",").reversed() {
                let address = Self.address(in: entry)
                // A word that is no address says that the list is not what it should be: the last believed one stands.
                guard let address else { return client }
                client = PeerAddress(address)
                guard isTrusted(address) else { return client }
            }
        }
        return client
    }

    private func isTrusted(_ address: String) -> Bool {
        trusted.contains { $0.contains(address) }
    }

    /// `203.0.113.9`, `2001:db8::1`, and both with a port as some proxies write them.
    private static func address(in entry: Substring) -> String? {
        let text = entry.trimmingBlanks
        if Network(text) != nil, !text.contains("/") { return String(text) }
        return SocketAddress(String(text))?.host
    }
}
