import EventLoop
import Relay

/// Where a request came from, as far as that is believed.
///
/// A proxy appends the address that it was called from to `X-Forwarded-For`, or to `Forwarded` (RFC 7239). So a list is
/// read from its right end, for as long as whoever wrote the entry is trusted; the first address that is no trusted
/// proxy is the client. What stands to the left of it was written by nobody we know.
///
/// A proxy writes one of the two fields, and passes the other on as its caller sent it. Where both are there and name
/// different clients, nothing says which is which, so neither is believed: the proxy's own address stands.
struct ClientAddress {
    private let trusted: [Network]

    init(trusted: [Network]) {
        self.trusted = trusted
    }

    /// - Parameter peer: who is at the other end of the connection, or who a PROXY header says is.
    func of(_ headers: Headers, peer: PeerAddress) -> PeerAddress {
        guard !trusted.isEmpty, let proxy = peer.address, isTrusted(proxy) else { return peer }
        // Nearly every request of a proxy has one of them, and nearly every request of another process here has none.
        guard headers.has("forwarded") || headers.has("x-forwarded-for") else { return peer.asProxy }
        let forwarded = client(behind: proxy, headers.values(of: "forwarded"), ForwardedElement.split) {
            if case .address(let address) = ForwardedElement($0) { address } else { nil }
        }
        let listed = client(behind: proxy, headers.values(of: "x-forwarded-for"), Self.entries, Self.address)
        switch (forwarded, listed) {
        case (let forwarded?, let listed?) where forwarded != listed: return peer
        case (let client?, _), (nil, let client?):
            return PeerAddress(client, isProxy: isTrusted(client))
        case (nil, nil): return peer.asProxy
        }
    }

    func isTrusted(_ address: IPAddress) -> Bool {
        trusted.contains { $0.contains(address) }
    }

    /// The last address that is believed; nil where the field is not there.
    private func client(
        behind proxy: IPAddress, _ values: [ArraySlice<UInt8>],
        _ split: (ArraySlice<UInt8>) -> [ArraySlice<UInt8>], _ read: (ArraySlice<UInt8>) -> IPAddress?
    ) -> IPAddress? {
        guard !values.isEmpty else { return nil }
        var client = proxy
        for value in values.reversed() {
            for entry in split(value) {
                // What is no address says that the list is not what it should be: the last believed one stands.
                guard let address = read(entry) else { return client }
                client = address
                guard isTrusted(address) else { return client }
            }
        }
        return client
    }

    /// The entries of `X-Forwarded-For`, the last first.
    private static func entries(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        value.split(separator: UInt8(ascii: ",")).reversed()
    }

    /// `203.0.113.9`, `2001:db8::1`, `[2001:db8::1]`, and both with a port as some proxies write them.
    private static func address(in entry: ArraySlice<UInt8>) -> IPAddress? {
        let text = String(decoding: entry.trimmingFieldBlanks, as: UTF8.self)
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            return inner.contains(":") ? IPAddress(inner) : nil
        }
        return IPAddress(text) ?? SocketAddress(text).flatMap { IPAddress($0.host) }
    }
}
