import EventLoop
import Relay
import Testing

@testable import Listener

@Suite("Where a request came from")
struct ClientAddressTests {
    @Test(
        "X-Forwarded-For is read from its right end, as far as whoever wrote it is trusted",
        arguments: [
            // The peer is no proxy of ours: nothing it says is believed.
            ("203.0.113.7", ["1.2.3.4"], "203.0.113.7"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.4"], "198.51.100.4"),
            // What the client itself claims stands to the left, and is not believed.
            ("10.0.0.1", ["1.1.1.1, 198.51.100.4"], "198.51.100.4"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.4, 10.0.0.2"], "198.51.100.4"),
            ("10.0.0.1", ["1.1.1.1", "198.51.100.4, 10.0.0.2"], "198.51.100.4"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", ["198.51.100.4:5123"], "198.51.100.4"),
            ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", ["198.51.100.4, nonsense"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.4, 10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            ("fd00::1", ["198.51.100.4"], "198.51.100.4"),
        ])
    func reads(peer: String, fields: [String], client: String) throws {
        let trusted = try ["10.0.0.0/8", "fd00::/8"].map { try #require(Network($0)) }
        let headers = Headers(fields.map { Field("X-Forwarded-For", $0) })
        let found = ClientAddress(trusted: trusted).of(headers, peer: PeerAddress(peer))
        #expect(found.description == client)
    }

    @Test(
        "a network holds its addresses and no other",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/9", "10.127.1.1", true),
            ("10.0.0.0/9", "10.128.1.1", false), ("0.0.0.0/0", "255.1.2.3", true), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("2001:db8::/32", "2001:db8:1::", true), ("::/0", "10.0.0.1", false),
            ("2001:db8::/33", "2001:db8:8000::", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("10.0.0.0/8", "nonsense", false),
        ])
    func holds(network: String, address: String, isIn: Bool) throws {
        #expect(try #require(Network(network)).contains(address) == isIn)
    }

    @Test(
        "what is no network is none",
        arguments: ["", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "10.0.0.0/+8", "x/8"])
    func refuses(text: String) {
        #expect(Network(text) == nil)
    }
}
