import EventLoop
import Relay

@testable import Listener

extension Fuzzer {
    /// `X-Forwarded-For` and `Forwarded`: nobody can put words into the mouth of a proxy.
    static let clientAddress = Fuzzer(
        name: "ClientAddress", mostBytes: 256,
        words: [
            ", ", "10.0.0.1", "198.51.100.4:80", "[2001:db8::1]:443", "::ffff:10.0.0.1", "/8", "localhost:1", "for=",
            "\\\"",
        ],
        seeds: { _ in
            [
                "for=1.1.1.1;proto=http, for=\"[2001:db8::1]:443\", For=10.0.0.2;by=_a", "for=\"a\\\"b, for=unknown",
                "1.1.1.1, 198.51.100.4, 10.0.0.2", "198.51.100.4:5123", "[2001:db8::1]:443, fd00::2",
                "198.51.100.4\n10.0.0.2, 10.0.0.3", "::ffff:10.0.0.1, nonsense", "10.0.0.1/8",
            ].flatMap { [[0] + Array($0.utf8), [1] + Array($0.utf8)] }
        },
        run: { input in
            let trusted = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"].compactMap { Network($0) }
            let clients = ClientAddress(trusted: trusted)
            let isForwarded = input.byte() % 2 == 1
            func headers(_ fields: [[UInt8]]) -> Headers {
                Self.headers(fields, named: isForwarded ? "Forwarded" : "X-Forwarded-For")
            }
            // The reader lets no control character into a field.
            let fields = input.rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
                .map { $0.filter { !$0.isControl } }
            let peer = PeerAddress("10.0.0.1")
            let client = clients.of(headers(fields), peer: peer).description
            claim(
                client.utf8.allSatisfy { $0.hexDigit != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
                    && Network(client) != nil, "the client's address is no address: \(client)")
            // What a client claims stands to the left of what our proxy saw.
            let seen = Array((isForwarded ? "for=198.51.100.77" : "198.51.100.77").utf8)
            claim(
                clients.of(headers(fields + [seen]), peer: peer).description == "198.51.100.77", "an address is forged")
            var last = fields.last ?? []
            last += Array(", ".utf8) + seen
            claim(
                clients.of(headers(fields.dropLast() + [last]), peer: peer).description == "198.51.100.77",
                "an address is forged within its field")
            let stranger = PeerAddress("203.0.113.5")
            claim(clients.of(headers(fields), peer: stranger) == stranger, "a stranger was believed")
        })

    private static func headers(_ fields: [[UInt8]], named name: String) -> Headers {
        let name = Array(name.utf8)
        var bytes: [UInt8] = []
        var places: [Headers.Place] = []
        for field in fields {
            let start = bytes.count
            bytes += name + field
            places.append(
                Headers.Place(name: start..<start + name.count, value: start + name.count..<bytes.count))
        }
        return Headers(bytes: bytes, places: places)
    }
}
