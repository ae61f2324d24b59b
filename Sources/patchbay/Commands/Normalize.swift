import ArgumentParser
import Configuration
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
              patchbay normalize --vendor facebook --content-type application/x-www-form-urlencoded < payload.form

            The patches go to standard output as JSON lines, the explanation to standard error. Exit 0 also when \
            everything was skipped, 65 when the payload cannot be read.
            """)

    @Option(help: "The vendor whose payload it is.")
    var vendor: String

    @Option(help: "A configuration whose vendors: adds names or vendors.")
    var config: String?

    @Option(help: "The query string, without the ?.")
    var query = ""

    @Option(help: "The content type; without it the payload's own looks decide.")
    var contentType: String?

    @Flag(help: "Only the patches, no explanation.")
    var json = false

    func run() async throws {
        let catalog = try catalog()
        guard catalog.knows(vendor: vendor) else {
            let known = catalog.vendorNames.joined(separator: ", ")
            throw ValidationError("--vendor: there is no \(vendor). There are \(known).")
        }
        let (result, trace) = catalog.explain(request(), through: .hook(Source(name: vendor, vendor: vendor, app: "")))
        if !json { printError(trace.findings.map(\.description).joined(separator: "\n")) }
        switch result {
        case .success(let normalization):
            for patch in normalization.patches { print(String(decoding: patch.json, as: UTF8.self)) }
            guard !json else { return }
            for skip in normalization.skips { printError("skipped: \(skip.reason.rawValue): \(skip.detail)") }
        case .failure(let refusal):
            printError("This payload cannot be read: \(refusal.message)")
            throw ExitCode.dataError
        }
    }

    private func catalog() throws -> VendorCatalog {
        guard let config else { return try VendorCatalog() }
        return try loadConfiguration(config).catalog
    }

    private func request() -> Request {
        let body = readAll(STDIN_FILENO)
        let headers = contentType.map { [Field("Content-Type", $0)] } ?? []
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
