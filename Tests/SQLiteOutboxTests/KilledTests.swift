import Glibc
import Relay
import SQLiteOutbox
import Testing

/// The real thing: a process of its own, killed in the middle of its work.
@Suite("An outbox whose process is killed", .serialized)
struct KilledTests {
    private static let variable = "PATCHBAY_TEST_KILLED_OUTBOX"
    private static var file: String? { getenv(variable).map { String(cString: $0) } }

    @Test("has everything that it said it accepted", arguments: 1...3)
    func nothingIsLost(round: Int) async throws {
        let scratch = Scratch()
        let child = try #require(spawnChild(scratch.file))
        while acknowledged(scratch.file).count < 200 * round, waitpid(child, nil, WNOHANG) == 0 { usleep(2000) }
        kill(child, SIGKILL)
        waitpid(child, nil, 0)

        let promised = acknowledged(scratch.file)
        #expect(promised.count >= 200 * round)
        let outbox = try SQLiteOutbox(path: scratch.file) { _ in }
        let claim = await outbox.claim(1_000_000, of: "main", at: noon + .seconds(1 << 30))
        let found = Set(claim.deliveries.map(\.profile.value))
        #expect(promised.subtracting(found).isEmpty)
        await outbox.close()
    }

    /// What the child runs: appends until it is killed, and notes what was accepted after it was told so.
    @Test("works until then", .enabled(if: file != nil))
    func child() async throws {
        let file = try #require(Self.file)
        var settings = OutboxSettings()
        settings.foldAfter = .milliseconds(20)
        settings.checkpointBytes = 1 << 16
        settings.mostLogBytes = 1 << 20
        let outbox = try SQLiteOutbox(path: file, settings: settings) { _ in }
        let notes = open(file + ".accepted", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        await withTaskGroup { group in
            for caller in 0..<16 {
                group.addTask {
                    for number in 0... {
                        let name = "u\(caller)-\(number)"
                        guard (try? await outbox.append(submission(patch(name, [.appsflyerID: "1"])))) != nil else {
                            return
                        }
                        let line = Array((name + "\n").utf8)
                        _ = write(notes, line, line.count)
                    }
                }
            }
        }
    }

    private func spawnChild(_ file: String) -> pid_t? {
        let arguments = ["/proc/self/exe", "--testing-library", "swift-testing", "--filter", "KilledTests/child"]
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = [strdup("\(Self.variable)=\(file)"), nil]
        defer { (argv + envp).forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var child = pid_t()
        return posix_spawn(&child, "/proc/self/exe", &actions, nil, &argv, &envp) == 0 ? child : nil
    }

    private func acknowledged(_ file: String) -> Set<String> {
        let notes = open(file + ".accepted", O_RDONLY)
        guard notes >= 0 else { return [] }
        defer { close(notes) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(notes, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        // The last line may be half written.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return Set(lines.map { String(decoding: $0, as: UTF8.self) })
    }
}
