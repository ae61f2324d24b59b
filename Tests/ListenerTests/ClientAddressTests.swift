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
            ("10.0.0.1", ["[2001:db8::5]"], "2001:db8::5"),
            ("10.0.0.1", ["1.1.1.1, [2001:DB8::5] , 10.0.0.2"], "2001:db8::5"),
            ("10.0.0.1", ["[198.51.100.4]"], "10.0.0.1"),
            ("10.0.0.1", ["[]"], "10.0.0.1"),
            ("10.0.0.1", ["["], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.4, nonsense"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.4, 10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            ("fd00::1", ["198.51.100.4"], "198.51.100.4"),
        ])
    func reads(peer: String, fields: [String], client: String) throws {
        let headers = Headers(fields.map { Field("X-Forwarded-For", $0) })
        let found = try ClientAddress(trusted: Self.trusted()).of(headers, peer: PeerAddress(peer))
        #expect(found.description == client)
    }

    @Test(
        "Forwarded is read in the same way, strictly",
        arguments: [
            ("203.0.113.7", ["for=1.2.3.4"], "203.0.113.7"),
            ("10.0.0.1", ["for=198.51.100.4"], "198.51.100.4"),
            ("10.0.0.1", ["For=198.51.100.4;proto=http;by=203.0.113.43"], "198.51.100.4"),
            ("10.0.0.1", ["proto=http;;for=198.51.100.4;"], "198.51.100.4"),
            ("10.0.0.1", [#"for="198.51.100.4:80""#], "198.51.100.4"),
            ("10.0.0.1", [#"for="198.51.100.4:_x""#], "198.51.100.4"),
            ("10.0.0.1", [#"for="[2001:db8::1]:4711""#], "2001:db8::1"),
            ("10.0.0.1", [#"for="[2001:DB8:0::1]""#], "2001:db8::1"),
            ("10.0.0.1", [#"for="\1\9\8.51.100.4""#], "198.51.100.4"),
            ("10.0.0.1", ["for=1.1.1.1, for=198.51.100.4 ,\tfor=10.0.0.2,"], "198.51.100.4"),
            ("10.0.0.1", ["for=1.1.1.1", "for=198.51.100.4, for=10.0.0.2"], "198.51.100.4"),
            ("10.0.0.1", [#"for=198.51.100.4;host="a,for=1.1.1.1""#], "198.51.100.4"),
            ("10.0.0.1", [#"for=198.51.100.4;host="a\", for=1.1.1.1""#], "198.51.100.4"),
            // A caller that leaves its quotes open does not hide what the proxy wrote behind them.
            ("10.0.0.1", [#"for="1.1.1.1, for=198.51.100.4"#], "198.51.100.4"),
            ("10.0.0.1", [#"for="1.1.1.1, for="[2001:db8::1]:5""#], "2001:db8::1"),
            ("10.0.0.1", [#"for=1.1.1.1;x="\, for="198.51.100.4""#], "198.51.100.4"),
            // Whom it does not name, and what is malformed.
            ("10.0.0.1", ["for=198.51.100.4, for=unknown"], "10.0.0.1"),
            ("10.0.0.1", ["for=198.51.100.4, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["for=198.51.100.4, proto=http"], "10.0.0.1"),
            ("10.0.0.1", ["for=2001:db8::1"], "10.0.0.1"), ("10.0.0.1", [#"for="2001:db8::1""#], "10.0.0.1"),
            ("10.0.0.1", ["for=198.51.100.4:80"], "10.0.0.1"), ("10.0.0.1", ["for = 198.51.100.4"], "10.0.0.1"),
            ("10.0.0.1", ["for=198.51.100.4; proto=http"], "10.0.0.1"), ("10.0.0.1", ["for="], "10.0.0.1"),
            ("10.0.0.1", ["for=198.51.100.4;for=1.1.1.1"], "10.0.0.1"), ("10.0.0.1", ["for"], "10.0.0.1"),
            ("10.0.0.1", [#"for="198.51.100.4"x"#], "10.0.0.1"), ("10.0.0.1", [#"for="198.51.100.4"#], "10.0.0.1"),
            ("10.0.0.1", [#"for="[198.51.100.4]""#], "10.0.0.1"), ("10.0.0.1", ["for=_"], "10.0.0.1"),
            ("10.0.0.1", [#"for="198.51.100.4:123456""#], "10.0.0.1"), ("10.0.0.1", ["198.51.100.4"], "10.0.0.1"),
        ])
    func forwarded(peer: String, fields: [String], client: String) throws {
        let headers = Headers(fields.map { Field("Forwarded", $0) })
        let found = try ClientAddress(trusted: Self.trusted()).of(headers, peer: PeerAddress(peer))
        #expect(found.description == client)
        #expect(found.isProxy == client.hasPrefix("10."))
    }

    @Test(
        "where the two fields name different clients neither is believed",
        arguments: [
            ("for=198.51.100.4", "198.51.100.4", "198.51.100.4"),
            (#"for="[2001:db8:0::1]""#, "2001:db8::1", "2001:db8::1"),
            ("for=1.1.1.1", "198.51.100.4", "10.0.0.1"), ("for=198.51.100.4", "1.1.1.1", "10.0.0.1"),
            ("for=unknown", "198.51.100.4", "10.0.0.1"),
        ])
    func both(forwarded: String, listed: String, client: String) throws {
        let headers = Headers([Field("Forwarded", forwarded), Field("X-Forwarded-For", listed)])
        let found = try ClientAddress(trusted: Self.trusted()).of(headers, peer: PeerAddress("10.0.0.1"))
        #expect(found.description == client)
        // Who sends both on purpose gains nothing: the address counts as a caller's.
        #expect(!found.isProxy)
    }

    private static func trusted() throws -> [Network] {
        try ["10.0.0.0/8", "fd00::/8"].map { try #require(Network($0)) }
    }
}
