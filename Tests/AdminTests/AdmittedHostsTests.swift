import Admin
import Relay
import Testing

@Suite("Under which names the admin listener may be asked")
struct AdmittedHostsTests {
    private let hosts = AdmittedHosts(["patchbay.internal"])

    @Test(
        "numeric addresses, localhost, what is below it, and names that are configured, with any port or none",
        arguments: [
            "127.0.0.1", "127.0.0.1:8081", "[::1]", "[::1]:8081", "10.1.2.3:80", "localhost", "localhost:8081",
            "LocalHost", "patchbay.localhost:8081", "patchbay.internal", "Patchbay.Internal:8081",
        ])
    func admitted(host: String) {
        #expect(hosts.admits(Request(method: .get, path: "/outbox", headers: Headers([Field("Host", host)]))))
    }

    @Test(
        "any other name may be one that a web page pointed here",
        arguments: [
            "evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost",
            "patchbay.internal.evil.example", "x.patchbay.internal", "127.0.0.1.", "2130706433", "127.1", "0x7f000001",
            "[evil.example]", "[]", "", ":8081", "127.0.0.1:8081:1", "localhost.",
        ])
    func others(host: String) {
        #expect(!hosts.admits(Request(method: .get, path: "/outbox", headers: Headers([Field("Host", host)]))))
    }

    @Test("without Host nobody is asked for")
    func missing() {
        #expect(!hosts.admits(Request(method: .get, path: "/outbox")))
    }

    @Test(
        "who asks under another name is told 421 of every page, and of health what it is",
        arguments: [
            ("/metrics", 421), ("/rejected", 421), ("/outbox", 421), ("/livez", 200), ("/readyz", 503),
        ])
    func misdirected(path: String, status: Int) async {
        let api = AdminAPI(
            health: Health { true }, registry: MetricsRegistry(), outbox: CountedOutbox(),
            desk: DeskAPI(desk: NotingDesk(), conditions: nil) { $0.value }, admit: { _ in .misdirected })
        #expect(await api.respond(to: Request(method: .get, path: path)).status == status)
    }
}
