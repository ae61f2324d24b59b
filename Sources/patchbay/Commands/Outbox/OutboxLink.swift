import Admin
import ArgumentParser
import Configuration
import Glibc
import Relay
import SQLiteOutbox

/// The way to an outbox: the running node, or the file itself where no node has it.
enum OutboxLink {
    case node(AdminClient)
    case file(SQLiteOutbox, DeskAPI)

    /// Sends a question; the answer's body. Prints what is wrong and ends the command where it is not answered.
    func ask(_ route: DeskAPI.Route, _ query: OutboxQuery) async throws -> String {
        let (status, body): (Int, String)
        switch self {
        case .node(let client):
            let answer = try client.send(route.method, "\(route.rawValue)?\(query.text)", accepting: [400])
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
}

/// Opens the way, does something, and closes it.
func withOutbox(_ options: AdminOptions, _ body: (OutboxLink) async throws -> Void) async throws {
    guard options.admin == nil, let (outbox, desk) = try openFile(options.config) else {
        return try await body(.node(try AdminClient(options)))
    }
    do {
        try await body(.file(outbox, desk))
    } catch {
        await outbox.close()
        throw error
    }
    await outbox.close()
}

/// Nil where a node has the file, or where it is not here: the node's working directory may be another.
private func openFile(_ config: String) throws -> (SQLiteOutbox, DeskAPI)? {
    let location: OutboxLocation
    do {
        location = try OutboxLocation(contentsOf: config)
    } catch {
        printError("\(config) is not right:\n\(error)")
        throw ExitCode.configuration
    }
    switch location.outbox {
    case .sqlite(let path):
        guard access(path, F_OK) == 0 else { return nil }
        var settings = OutboxSettings()
        for app in location.apps { settings.reassertAfter[app] = .seconds(86_400) }
        do {
            let outbox = try SQLiteOutbox(path: path, settings: settings) { _ in }
            printError("No node has \(path); this is what the file says.")
            let desk = DeskAPI(desk: outbox, conditions: nil, label: profileLabel(location.log.profiles))
            return (outbox, desk)
        } catch  where error.problem == .inUse {
            return nil
        } catch {
            printError("patchbay: \(error)")
            throw ExitCode.failure
        }
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
