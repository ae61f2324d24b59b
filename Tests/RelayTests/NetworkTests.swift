import Testing

@testable import Relay

@Suite("Blocks of addresses")
struct NetworkTests {
    @Test(
        "a network holds its addresses and no other",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/9", "10.127.1.1", true),
            ("10.0.0.0/9", "10.128.1.1", false), ("0.0.0.0/0", "255.1.2.3", true), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("2001:db8::/32", "2001:db8:1::", true), ("::/0", "10.0.0.1", false),
            ("2001:db8::/33", "2001:db8:8000::", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("10.0.0.0/8", "nonsense", false), ("2001:db8::/32", "2001:db9::", false),
            ("10.0.0.0/8", "10.0.0.1%eth0", false),
            ("10.0.0.1", "10.0.0.1\0", false), ("10.0.0.0/8", "10.0.0.1:80", false),
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
