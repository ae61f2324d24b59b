import Foundation
import Testing

/// The samples of Adapty's page "Get integration identifiers", as they stand there, and what they become when they
/// post.
enum DocumentedSample: String, CaseIterable, Sendable {
    case curl = "bash"
    case python
    case javaScript = "javascript"

    /// Where a sample is sent, and with which key: the two things that change for a relay.
    struct Target {
        let address: String
        let key: String
        var user = "usr_1"
    }

    struct Outcome: Equatable {
        let output: String
        /// What went wrong, without the places in files behind it.
        let errors: String
    }

    /// The code of the page, by the language of its block.
    var documented: String {
        get throws {
            let page = try String(
                contentsOf: Self.folder.appending(path: "get-integration-identifiers.md"), encoding: .utf8)
            let block = try #require(page.range(of: "```\(rawValue) showLineNumbers\n"))
            let end = try #require(page.range(of: "\n```", range: block.upperBound..<page.endIndex))
            return String(page[block.upperBound..<end.lowerBound])
        }
    }

    /// The same call with POST and a body.
    func posting(_ json: String) throws -> String {
        switch self {
        case .curl: try documented.replacing("--data ''", with: "--data '\(json)'")
        case .python:
            try documented.replacing(#"payload = """#, with: "payload = json.dumps(json.loads('''\(json)'''))")
                .replacing(#""GET""#, with: #""POST""#)
        case .javaScript:
            try documented.replacing(#"const raw = "";"#, with: "const raw = JSON.stringify(\(json));")
                .replacing(#""GET""#, with: #""POST""#)
        }
    }

    func run(_ code: String, at target: Target) async throws -> Outcome {
        let code = code.replacing("https://api.adapty.io", with: "http://\(target.address)")
            .replacing("<YOUR_SECRET_API_KEY>", with: target.key)
            .replacing("<YOUR_CUSTOMER_USER_ID>", with: target.user)
        #expect(!code.contains("adapty.io") && !code.contains("<YOUR"))
        let command = interpreter + [code]
        let (output, errors) = try await TestClient.onThread { try Self.run(command) }
        // Node shows where it was; the line that says what comes first.
        let words = self == .javaScript ? errors.split(separator: "\n").first.map(String.init) ?? "" : ""
        return Outcome(output: output.trimmingCharacters(in: .newlines), errors: words)
    }

    /// The interpreter with the option that takes code.
    private var interpreter: [String] {
        switch self {
        case .curl: ["bash", "-ec"]
        case .python: ["python3", "-c"]
        case .javaScript: ["node", "--no-warnings", "-e"]
        }
    }

    /// Whether this machine can run it.
    var isPossible: Bool {
        let check =
            switch self {
            case .curl: ["bash", "-c", "command -v curl"]
            case .python: ["python3", "-c", "import requests"]
            case .javaScript: ["node", "-e", "if (typeof fetch != 'function') process.exit(1)"]
            }
        return (try? Self.run(check)) != nil
    }

    static func file(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Samples")

    private static func run(_ arguments: [String]) throws -> (output: String, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        // A proxy of this machine's would be asked for 127.0.0.1.
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.lowercased().hasSuffix("_proxy") }
            .merging(["NO_PROXY": "*"]) { $1 }
        let (stdout, stderr) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (stdout, stderr)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let words = String(decoding: errors, as: UTF8.self)
        guard process.terminationStatus == 0 else { throw RunningPatchbay.Failure(words) }
        return (String(decoding: output, as: UTF8.self), words)
    }
}
