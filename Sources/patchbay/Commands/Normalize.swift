import ArgumentParser
import Configuration
import EventLoop
import Glibc
import Relay
import Vendors

/// Reads a payload as the relay would, and sends nothing.
struct Normalize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what a vendor's payload comes to: which value came from where, and what was left out.",
        discussion: """
            Example:
              patchbay normalize --vendor appsflyer < payload.json
              patchbay normalize --vendor adjust --query 'adid=4c1f0f5e&user_id=usr_1' < /dev/null
              patchbay normalize --vendor onesignal today/*.json
              patchbay normalize --vendor facebook --content-type application/x-www-form-urlencoded < payload.form

            Reads the files, one request each, or standard input where none is named. The patches go to standard \
            output as JSON lines, the explanation to standard error. Exit 0 also when everything was skipped, 65 when \
            a payload cannot be read, 66 when a file cannot be.
            """)

    @Option(help: "The vendor whose payload it is.")
    var vendor: String

    @Option(help: "A configuration whose vendors: adds names or vendors.")
    var config: String?

    @Option(help: "The query string, with or without the ? before it.")
    var query = ""

    @Option(help: "The content type; without it the payload's own looks decide.")
    var contentType: String?

    @Flag(help: "Only the patches, no explanation.")
    var json = false

    @Argument(help: "Files with a request's body each; - is standard input.")
    var files: [String] = []

    func run() async throws {
        let catalog = try catalog()
        guard catalog.knows(vendor: vendor) else {
            let known = catalog.vendorNames.joined(separator: ", ")
            throw ValidationError("--vendor: there is no \(vendor). There are \(known).")
        }
        var exitCode = ExitCode.success
        for file in files.isEmpty ? ["-"] : files {
            if files.count > 1, !json { printError("\(file):") }
            do {
                try show(catalog.explain(request(try contents(of: file)), through: entrance))
            } catch let code as ExitCode {
                exitCode = code
            } catch {
                printError("\(file): \(error)")
                exitCode = .noInput
            }
        }
        if exitCode != .success { throw exitCode }
    }

    private var entrance: Entrance { .hook(Source(name: vendor, vendor: vendor, app: "")) }

    private func show(_ explained: (result: Result<Normalization, Refusal>, trace: Trace)) throws {
        if !json { printError(explained.trace.findings.map(\.description).joined(separator: "\n")) }
        switch explained.result {
        case .success(let normalization):
            for patch in normalization.patches { print(String(decoding: patch.json, as: UTF8.self)) }
            guard !json else { return }
            for skip in normalization.skips { printError("skipped: \(skip.reason.rawValue): \(skip.detail)") }
            if !normalization.keys.isEmpty {
                printError("the payload's keys: \(normalization.keys.joined(separator: ", "))")
            }
        case .failure(let refusal):
            printError("This payload cannot be read: \(refusal.message)")
            throw ExitCode.dataError
        }
    }

    private func catalog() throws -> VendorCatalog {
        guard let config else { return try VendorCatalog() }
        return try loadConfiguration(config).catalog
    }

    private func contents(of file: String) throws -> [UInt8] {
        guard file != "-" else { return readAll(STDIN_FILENO) }
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open") }
        defer { close(descriptor) }
        return readAll(descriptor)
    }

    private func request(_ body: [UInt8]) -> Request {
        let headers = contentType.map { [Field("Content-Type", $0)] } ?? []
        let query = query.hasPrefix("?") ? String(query.dropFirst()) : query
        let method = body.isEmpty && !query.isEmpty ? Method.get : .post
        return Request(method: method, path: "/hooks/\(vendor)", query: query, headers: Headers(headers), body: body)
    }

    private func readAll(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}

extension Patch {
    /// `{"profile_id"|"customer_user_id":"...","identifiers":{...},"at":"..."}`
    fileprivate var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field(profile.key, profile.value)
            json.object("identifiers") { identifiers.write(to: &$0) }
            if let at { json.field("at", at) } else { json.null("at") }
        }
        return json.bytes
    }
}
