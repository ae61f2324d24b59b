import Foundation
import Testing

@Suite("Behind a TCP balancer")
struct ProxyProtocolTests {
    @Test("the address of a PROXY header, v1 or v2, is in the log, and its limits apply to it alone")
    func proxyProtocol() async throws {
        let relay = try await RelayUnderTest(
            settings: """
                proxy_protocol: [127.0.0.1]
                limits: { failures_per_ip: 1/h burst 2, connections_per_ip: 3 }
                """)
        func ask(_ header: [UInt8], token: String) throws -> TestClient.Answer {
            let client = try TestClient(relay.relay.address)
            try client.write(header)
            return try client.post(
                "/hooks/appsflyer?token=\(token)", #"{"appsflyer_id":"1-2","customer_user_id":"u"}"#)
        }
        let v1 = Array("PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n".utf8)
        // The signature, version 2 and PROXY, TCP over IPv4, 12 bytes: 203.0.113.10:8080 to 10.0.0.1:80.
        let v2: [UInt8] =
            [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0, 12]
            + [203, 0, 113, 10, 10, 0, 0, 1, 0x1f, 0x90, 0, 80]
        #expect(try (0..<3).map { _ in try ask(v1, token: "wrong").status } == [401, 401, 429])
        #expect(try ask(v1, token: RelayUnderTest.token).headers["retry-after"] != nil)
        #expect(try ask(v2, token: RelayUnderTest.token).status == 200)
        #expect(try await relay.logs(#""client":"203.0.113.9""#))
        #expect(try await relay.logs(#""client":"203.0.113.10""#))

        // Three connections of one address, and the next is one too many; another's is not.
        let open = try (0..<3).map { _ in
            let client = try TestClient(relay.relay.address)
            try client.write(Array("PROXY TCP4 198.51.100.1 10.0.0.1 1 2\r\n".utf8))
            #expect(try client.send("GET", "/livez").status == 200)
            return client
        }
        let fourth = try TestClient(relay.relay.address)
        try fourth.write(Array("PROXY TCP4 198.51.100.1 10.0.0.1 1 2\r\n".utf8))
        let answer = try fourth.readAnswer()
        #expect(answer.status == 503)
        #expect(answer.headers["retry-after"] == "5")
        #expect(try ask(v2, token: RelayUnderTest.token).status == 200)
        #expect(try relay.metric("patchbay_connections_shed_total", #"reason="per_ip""#) == 1)
        withExtendedLifetime(open) {}

        // Without the header there is no answer at all.
        let bare = try TestClient(relay.relay.address)
        #expect(throws: RunningPatchbay.Failure.self) { try bare.send("GET", "/livez") }
        #expect(try await relay.logs("a connection without its PROXY header"))
    }
}
