import Foundation
import Synchronization
import Testing

/// A `patchbay` process of its own, as a user would start it. Ended when the test lets go of it.
final class RunningPatchbay: Sendable {
    /// The line of the log that says where it listens, as JSON.
    private struct Serving: Decodable {
        let message: String
        let listen: String?
        let admin: String?
    }

    private let process: Process
    private let output: Output
    let address: String
    let adminAddress: String

    /// What the process wrote, as it comes.
    private final class Output: Sendable {
        private let text = Mutex(Data())
        func add(_ data: Data) { text.withLock { $0.append(data) } }
        var string: String { text.withLock { String(decoding: $0, as: UTF8.self) } }
    }

    /// The binary that this package built, beside the test bundle.
    static var binary: URL {
        get throws {
            var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            for _ in 0..<6 {
                let candidate = directory.appendingPathComponent("patchbay")
                if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
                directory.deleteLastPathComponent()
            }
            throw Failure("no patchbay beside \(CommandLine.arguments[0])")
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// Starts `serve` or `sandbox` and waits until it listens.
    /// - Parameter limiting: what a shell does before it becomes the process, such as `ulimit -f 400`.
    init(_ arguments: [String], environment: [String: String] = [:], limiting: String = "") async throws {
        let process = Process()
        let output = Output()
        let binary = try Self.binary
        if limiting.isEmpty {
            process.executableURL = binary
            process.arguments = arguments
        } else {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\(limiting); exec \"$0\" \"$@\"", binary.path] + arguments
        }
        process.environment = environment
        let pipe = Pipe()
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil } else { output.add(data) }
        }
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        var found: (String, String)?
        for _ in 0..<4000 where found == nil {
            found = Self.addresses(in: output.string)
            if found == nil {
                guard process.isRunning else { throw Failure("ended at start: \(output.string)") }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        guard let found else {
            process.terminate()
            throw Failure("does not listen: \(output.string)")
        }
        self.process = process
        self.output = output
        (address, adminAddress) = found
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private static func addresses(in log: String) -> (String, String)? {
        if let range = log.range(of: "Sandbox on http://"), let end = log[range.upperBound...].firstIndex(of: "\n") {
            let address = String(log[range.upperBound..<end])
            return (address, address)
        }
        for line in log.split(separator: "\n") {
            guard let serving = try? JSONDecoder().decode(Serving.self, from: Data(line.utf8)),
                serving.message == "serving", let listen = serving.listen, let admin = serving.admin
            else { continue }
            return (listen, admin)
        }
        return nil
    }

    var log: String { output.string }
    var isRunning: Bool { process.isRunning }
    var pid: pid_t { process.processIdentifier }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Waits for the process to end by itself. Returns its exit status.
    func ended(within seconds: Int = 30) async throws -> Int32 {
        for _ in 0..<(seconds * 50) where process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        guard !process.isRunning else { throw Failure("still runs after \(seconds) s: \(log.suffix(2000))") }
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    func kill9() async throws {
        send(SIGKILL)
        _ = try await ended()
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = try binary
        process.arguments = arguments
        process.environment = environment
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self)
        )
    }
}

/// A directory that is gone when the test is over.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("patchbay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
