import Admin
import ArgumentParser
import Configuration
import Glibc
import Relay
import SQLiteOutbox

/// The way to an outbox: the running node, or the file itself where no node answers.
enum OutboxLink {
    case node(AdminClient)
    case file(StoppedOutbox, DeskAPI)

    /// Sends a question; the answer's body. Prints what is wrong and ends the command where it is not answered.
    func ask(_ route: DeskAPI.Route, _ query: OutboxQuery) async throws -> String {
        let (status, body): (Int, String)
        switch self {
        case .node(let client):
            let answer = try client.send(route.method, "\(route.rawValue)?\(query.text)", accepting: [400, 503])
            (status, body) = (answer.status, answer.body)
        case .file(_, let desk):
            let request = Request(method: route.method, path: route.rawValue, query: query.text)
            let response = await desk.respond(to: request, on: route)
            (status, body) = (response.status, String(decoding: response.body, as: UTF8.self))
        }
        guard status == 200 else {
            printError("patchbay: \(FlatJSON(body).text("errors") ?? body)")
            throw ExitCode.failure
        }
        return body
    }

    /// Whoever only looks takes no lock. For a change the file is opened as a node would, for no longer than it takes.
    func changing(_ body: (OutboxLink) async throws -> Void) async throws {
        guard case .file(let file, _) = self else { return try await body(self) }
        let outbox: SQLiteOutbox
        do {
            outbox = try SQLiteOutbox(path: file.path, settings: file.settings) { _ in }
        } catch  where error.problem == .inUse {
            // A node was started meanwhile.
            return try await body(.node(try AdminClient(file.options)))
        } catch {
            printError("patchbay: \(error)")
            throw ExitCode.failure
        }
        do {
            try await body(.file(file, file.desk(outbox)))
        } catch {
            await outbox.close()
            throw error
        }
        await outbox.close()
    }
}

/// The file of a node that does not answer.
struct StoppedOutbox {
    let path: String
    let settings: OutboxSettings
    let label: ProfileLabel
    let options: AdminOptions

    func desk(_ outbox: any OutboxDesk) -> DeskAPI { DeskAPI(desk: outbox, conditions: nil, label: label) }
}

/// Finds the way, and does something.
func withOutbox(_ options: AdminOptions, _ body: (OutboxLink) async throws -> Void) async throws {
    guard options.admin == nil, let file = try stoppedOutbox(options) else {
        return try await body(.node(try AdminClient(options)))
    }
    let snapshot: OutboxSnapshot
    do {
        snapshot = try OutboxSnapshot(path: file.path, settings: file.settings)
    } catch {
        printError("patchbay: \(error)")
        throw ExitCode.failure
    }
    try await body(.file(file, file.desk(snapshot)))
}

/// Nil where a node has the file and answers, or where the file is not here: the node's working directory may be
/// another.
private func stoppedOutbox(_ options: AdminOptions) throws -> StoppedOutbox? {
    let location: OutboxLocation
    do {
        location = try OutboxLocation(contentsOf: options.config)
    } catch {
        printError("\(options.config) is not right:\n\(error)")
        throw ExitCode.configuration
    }
    switch location.outbox {
    case .sqlite(let path):
        guard access(path, F_OK) == 0 else { return nil }
        if SQLiteOutbox.isHeld(path) {
            guard let client = try? AdminClient(options), client.isAlone else { return nil }
            printError("The node that has \(path) does not answer; this is what the file says.")
        } else {
            printError("No node has \(path); this is what the file says.")
        }
        return StoppedOutbox(
            path: path, settings: OutboxSettings(location), label: profileLabel(location.log.profiles),
            options: options)
    }
}

/// The working directory; `/` where it has no name any more.
func currentDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
}

/// Reads single members of the answers that the desk writes itself: names and values without escapes.
struct FlatJSON {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    func flag(_ name: String) -> Bool? { after(name).map { $0.hasPrefix("true") } }

    func number(_ name: String) -> Int? {
        after(name).flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// Also the first of a list.
    func text(_ name: String) -> String? {
        guard let rest = after(name)?.drop(while: { $0 == "[" }), rest.first == "\"" else { return nil }
        return String(rest.dropFirst().prefix { $0 != "\"" })
    }

    private func after(_ name: String) -> Substring? {
        text.firstRange(of: "\"\(name)\":").map { text[$0.upperBound...] }
    }
}
