import Configuration
import EventLoop
import Glibc
import Logging
import Synchronization

/// How file descriptors are shared out. Callers get what is left when everything else has what it may come to.
extension Configuration {
    /// How many may ask the admin listener at once.
    static let adminConnections = 32

    /// The process, whatever is configured: the outbox's files, the log, the standard streams, certificates and
    /// secrets that are read again, names that are looked up; and libdispatch, which looks into /proc now and then, and
    /// ends the process with an illegal instruction when it has no descriptor for that.
    private static let ownDescriptors = 48

    /// With fewer connections a node is of no use.
    private static let leastConnections = 16

    /// What is kept back. Each loop has an epoll, a bell, its listening sockets, and for each app a pool of connections
    /// of its own with a bell of libcurl's. Attempts and reads go through the same pools; which of them an attempt uses
    /// is chosen by load, so that in time each may be full.
    private var keptDescriptors: Int {
        let listening = tls == nil ? 1 : 2
        let pools = apps.reduce(0) { $0 + $1.concurrency + 2 }
        return Self.ownDescriptors + Self.adminConnections + 1 + 4 * profileTokens.count
            + loops * (2 + listening + pools)
    }

    /// How many the process has to have.
    var neededDescriptors: Int { keptDescriptors + Self.leastConnections }

    /// `limits.connections`, or fewer where the process may not have so many descriptors.
    var connectionsWithinDescriptors: Int { connections(within: Self.descriptorLimit) }

    func connections(within limit: Int?) -> Int {
        limit.map { max(1, min(limits.connections, $0 - keptDescriptors)) } ?? limits.connections
    }

    func checkDescriptors(limit: Int? = descriptorLimit) throws {
        if let limit, limit < neededDescriptors { throw TooFewDescriptors(limit: limit, needed: neededDescriptors) }
    }

    /// Nil where it is not known.
    private static var descriptorLimit: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}

/// The process may not open as many files as it needs.
struct TooFewDescriptors: Error, CustomStringConvertible {
    let limit: Int
    let needed: Int

    var description: String {
        "\(limit) file descriptors are too few: this configuration needs \(needed) (ulimit -n, LimitNOFILE=), "
            + "or fewer loops, or less concurrency of its apps"
    }
}

/// Says that no connection can be taken. Once in a while: for as long as it lasts all loops find out ten times a
/// second.
final class AcceptFailures: Sendable {
    private static let pause = Duration.seconds(10)

    private let logger: Logger
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(logger: Logger) {
        self.logger = logger
    }

    func failed(_ error: SystemError) {
        let now = ContinuousClock.now
        let isNews = last.withLock { last in
            if let last, last.duration(to: now) < Self.pause { return false }
            last = now
            return true
        }
        if isNews { logger.error("accepting pauses", metadata: ["error": "\(error)"]) }
    }
}
