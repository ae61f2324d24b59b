package import Relay

/// The outbox's routes on the admin listener, and what the commands ask, whether a node runs or not:
///
///     GET  /outbox            what is undelivered and why; filters in the query, see `DeskQuery`
///     GET  /outbox/profile    ?name=usr_1: all that is known of one profile
///     POST /outbox/replay     one step of it; `next` of the answer goes into the next one's query as `from`
///     POST /outbox/discard    the same; a query that filters nothing is refused
///     POST /outbox/backup     ?path=/absolute/path: writes a copy there, on the node's own disk
///
/// Answers are JSON, or text for a person where the query says `text`.
package struct DeskAPI: Sendable {
    private let desk: any OutboxDesk
    private let conditions: DeliveryConditions?
    private let label: ProfileLabel

    /// - Parameters:
    ///   - conditions: which apps are held back; nil where no deliveries are made.
    ///   - label: how a profile is shown unless the query says `plain`.
    package init(desk: any OutboxDesk, conditions: DeliveryConditions?, label: @escaping ProfileLabel) {
        self.desk = desk
        self.conditions = conditions
        self.label = label
    }

    var fileBytes: Int { desk.fileBytes }

    package enum Route: String, Sendable {
        case survey = "/outbox"
        case profile = "/outbox/profile"
        case replay = "/outbox/replay"
        case discard = "/outbox/discard"
        case backup = "/outbox/backup"

        package var method: Method {
            switch self {
            case .survey, .profile: .get
            case .replay, .discard, .backup: .post
            }
        }
    }

    /// Whoever asks has been found to be allowed to.
    package func respond(to request: Request, on route: Route) async -> Response {
        guard request.method == route.method else { return Response(.methodNotAllowed([route.method])) }
        // On loopback no token may be needed. A browser there says so with every POST; its pages have no business here.
        if route.method == .post, request.headers.has("origin") {
            return Response(.forbidden("This is not for web pages."))
        }
        do throws(Refusal) {
            let query = try DeskQuery(
                request.query, of: route, label: label, paused: conditions?.paused ?? [])
            return try await answer(route, query)
        } catch {
            return Response(error)
        }
    }

    private func answer(_ route: Route, _ query: DeskQuery) async throws(Refusal) -> Response {
        var label = label
        if query.isPlain { label = { $0.value } }
        do throws(DeskError) {
            switch route {
            case .survey:
                let survey = try await desk.survey(query.filter, limit: query.limit)
                let report = DeskReport(
                    survey: survey, held: conditions?.held ?? [:], trouble: desk.trouble,
                    isPart: query.filter.isSelective, label: label)
                // A hundred thousand of them take a while to write, and the loop that asks delivers.
                return await Task.detached { [isText = query.isText] in
                    isText ? .text(200, report.text) : .json(200, report.json)
                }.value
            case .profile:
                let profiles = try await desk.show(
                    try query.required(query.name, "name"), pausedApps: query.filter.pausedApps)
                guard !profiles.isEmpty else { throw DeskError.refused("no profile of that name is known") }
                if query.isText { return .text(200, profiles.map { $0.text(label: label) }.joined(separator: "\n")) }
                return .json(200, profiles.json(label: label))
            case .replay: return .json(200, try await change(.replay, query))
            case .discard:
                guard query.filter.isSelective else {
                    throw DeskError.refused(
                        "say what to discard: a state, an app, a source, an error, a profile or an age")
                }
                return .json(200, try await change(.discard, query))
            case .backup:
                let path = try query.required(query.path, "path")
                guard path.hasPrefix("/") else { throw DeskError.refused("path must be absolute") }
                var json = JSONText()
                let bytes = try await desk.backup(to: path)
                json.object { $0.field("bytes", bytes) }
                return .json(200, json.bytes)
            }
        } catch {
            throw Refusal(error)
        }
    }

    private func change(_ change: DeskChange, _ query: DeskQuery) async throws(DeskError) -> [UInt8] {
        try await desk.change(change, query.filter, from: query.from).json { $0.cursor(of: query.change) }
    }
}

extension DeskQuery {
    fileprivate func required<Value>(_ value: Value?, _ name: String) throws(DeskError) -> Value {
        guard let value else { throw .refused("\(name) is missing") }
        return value
    }
}

/// What a survey came to, and what is to be known beside it.
struct DeskReport: Sendable {
    let survey: DeskSurvey
    let held: [String: DeliveryConditions.Hold]
    /// Why nothing can be stored; nil while everything is.
    let trouble: OutboxFailure?
    /// A filter let it through; there may be more.
    let isPart: Bool
    let label: ProfileLabel
}

extension Refusal {
    init(_ error: DeskError) {
        switch error {
        case .refused(let sentence): self = .invalid(sentence)
        case .outbox(.full), .outbox(.unavailable):
            self = .unavailable("The outbox cannot be written or read: \(error)", retryAfter: 10, cause: "\(error)")
        case .outbox(.closed): self = .unavailable("This node is stopping.", retryAfter: 1, cause: "outbox closed")
        }
    }
}
