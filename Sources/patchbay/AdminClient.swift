import ArgumentParser
import Configuration
import EventLoop
import Glibc
import Relay

/// Which running node a command asks: the one that the configuration describes, unless another address is given.
struct AdminOptions: ParsableArguments {
    @Option(help: "The node's configuration file: where its admin listener is, and the token it wants.")
    var config = "config/patchbay.yaml"

    @Option(help: "Where the node's admin listener is, such as 127.0.0.1:8081; default: what the configuration says.")
    var admin: String?
}

/// Asks a running node over its admin listener. Reads of the configuration only the section `admin`.
struct AdminClient {
    private let address: SocketAddress
    private let token: Secret?
    /// For messages: whose address and token they are.
    private let path: String

    /// Prints what is wrong, and ends with 78 (configuration) or 64 (usage), where the node cannot be told.
    init(_ options: AdminOptions) throws {
        let configuration: AdminConfiguration
        do {
            configuration = try AdminConfiguration(contentsOf: options.config)
        } catch {
            printError("\(options.config) is not right:\n\(error)")
            throw ExitCode.configuration
        }
        var address = configuration.listen
        if let wanted = options.admin {
            guard let parsed = SocketAddress(wanted) else {
                throw ValidationError("--admin: \(wanted) is not a numeric address and port, such as 127.0.0.1:8081.")
            }
            address = parsed
        }
        guard address.port != 0 else {
            throw ValidationError(
                "admin.listen has port 0, which is the kernel's choice: give the node's own with --admin.")
        }
        self.address = address.reachable
        token = configuration.tokens.first
        path = options.config
    }

    /// Nobody listens there.
    var isAlone: Bool {
        guard let descriptor = try? ConnectedSocket.connect(to: address) else { return true }
        close(descriptor)
        return false
    }

    /// Sends one request, and returns the answer if it is 2xx, or one of those that the caller has words for.
    ///
    /// Everything else is printed in a sentence and ends the command: 69 where no node answers, 77 where it does not
    /// take the token, 1 otherwise.
    /// - Parameter target: the path, and a query that is encoded.
    func send(
        _ method: Method, _ target: String, body: String = "", accepting statuses: Set<Int> = []
    ) throws -> BlockingClient.Answer {
        var headers: [(String, String)] = []
        if let token {
            headers.append(("Authorization", "Bearer " + token.reveal { String(decoding: $0, as: UTF8.self) }))
        }
        let answer: BlockingClient.Answer
        do {
            answer = try BlockingClient(address: address).send(method.rawValue, target, headers: headers, body: body)
        } catch {
            throw ended(.unavailable, "no node answers at \(address) (\(error)); does `patchbay serve` run there?")
        }
        switch answer.status {
        case 200..<300:
            return answer
        case let status where statuses.contains(status):
            return answer
        case 401 where token == nil:
            throw ended(.noPermission, "the node at \(address) wants a token, and \(path) has no admin.token.")
        case 401:
            throw ended(
                .noPermission,
                "the node at \(address) does not take the admin.token of \(path): is it another node's, or newer?"
            )
        default:
            throw ended(.failure, "the node at \(address) answers \(answer.status): \(answer.body)")
        }
    }

    private func ended(_ code: ExitCode, _ sentence: String) -> ExitCode {
        printError("patchbay: \(sentence)")
        return code
    }
}

extension SocketAddress {
    /// Who listens on every address is reached on the loopback.
    fileprivate var reachable: SocketAddress {
        switch host {
        case "0.0.0.0": SocketAddress(host: "127.0.0.1", port: port) ?? self
        case "::": SocketAddress(host: "::1", port: port) ?? self
        default: self
        }
    }
}

extension ExitCode {
    /// No node answers. Source: sysexits.h.
    fileprivate static let unavailable = ExitCode(69)
    /// The node does not know who asks.
    fileprivate static let noPermission = ExitCode(77)
}
