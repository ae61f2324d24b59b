package import EventLoop
package import Relay

/// `admin`: the pages, metrics and commands of whoever runs it.
package struct AdminConfiguration: Sendable {
    /// Default: 127.0.0.1:8081.
    package let listen: SocketAddress
    /// What a request must carry; none by default, and required off loopback.
    package let tokens: [Secret]
    /// Names in lower case under which it may be asked where it has no token; numeric addresses and `localhost` always
    /// may. None by default.
    package let hosts: [String]

    init(_ section: Section, in surroundings: Surroundings) {
        listen = section.value("listen", .address, default: .loopback(8081))
        tokens = section.list("token", .secret(in: surroundings), default: []).map(\.secret)
        hosts = section.list("hosts", .hostName, default: [])
        if !listen.isLoopback, tokens.isEmpty {
            section.mistake("listen", "off loopback the admin pages need a token")
        }
    }
}

extension AdminConfiguration {
    /// Reads nothing but this section of a file: whoever asks a running node has its address and token, and seldom
    /// every secret that the node was started with.
    package init(contentsOf path: String, in surroundings: Surroundings = .process) throws(Mistakes) {
        let reader = Reader()
        let text = try surroundings.text(of: path)
        let root: Section
        do throws(Mistake) {
            root = Section(try Node(yaml: text), reader)
        } catch {
            throw Mistakes([error])
        }
        self = root.section("admin") { AdminConfiguration($0, in: surroundings) }
        guard reader.mistakes.isEmpty else { throw Mistakes(reader.mistakes) }
    }
}

extension SocketAddress {
    static func loopback(_ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(host: "127.0.0.1", port: port) else {
            preconditionFailure("127.0.0.1 is an address")
        }
        return address
    }
}
