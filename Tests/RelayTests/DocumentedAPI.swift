import Foundation
import Testing

@testable import Relay

/// A public API over fake stages whose every answer is held against `/openapi.json`: what a test exercises is
/// documented, or the test fails.
struct DocumentedAPI: Responder {
    let api: PublicAPI
    private let description: OpenAPIDocument

    init(_ stages: FakeStages, _ answers: Answers) {
        let intake = Intake(
            authenticator: stages, limiter: stages, normalizer: stages, outbox: stages,
            apps: ["main": App(version: stages.version, reader: stages)])
        let health = Health { stages.isWritable }
        health.serve()
        api = PublicAPI(
            intake: intake,
            sources: [
                "af": Source(name: "af", vendor: "appsflyer", app: "main"),
                "by-path": Source(name: "by-path", vendor: "appsflyer", app: "main", hasTokenInPath: true),
            ],
            normalizer: stages, answers: answers, health: health)
        description = OpenAPIDocument(vendors: stages.vendorNames)
    }

    func respond(to request: Request) async -> Response {
        let response = await api.respond(to: request)
        Document(description).check(response, to: request)
        return response
    }

    func answer(_ refusal: Refusal, to head: Request, isWhole: Bool) -> Response {
        let response = api.answer(refusal, to: head, isWhole: isWhole)
        Document(description).check(response, to: head)
        return response
    }

    func takesLongBodies(at path: String) -> Bool { api.takesLongBodies(at: path) }

    func answerEarly(_ head: Request) -> Response? {
        let response = api.answerEarly(head)
        if let response { Document(description).check(response, to: head) }
        return response
    }
}

/// An OpenAPI document, looked things up in as a client's generator would.
struct Document {
    typealias Object = [String: Any]

    let root: Object

    init(_ document: OpenAPIDocument) {
        root = (try? JSONSerialization.jsonObject(with: Data(document.json))) as? Object ?? [:]
    }

    var paths: [String: Object] { root["paths"] as? [String: Object] ?? [:] }

    /// What a reference points to, or the object itself.
    func resolve(_ value: Any?) -> Object? {
        guard let object = value as? Object else { return nil }
        guard let reference = object["$ref"] as? String else { return object }
        var place: Any? = root
        for name in reference.dropFirst(2).split(separator: "/") { place = (place as? Object)?[String(name)] }
        return place as? Object
    }

    /// The path whose template a path fits, without the slash at the end.
    func path(_ path: String) -> Object? {
        let wanted = segments(path)
        return paths.first { template, _ in
            let template = segments(template)
            return template.count == wanted.count
                && zip(template, wanted).allSatisfy { $0.hasPrefix("{") && !$1.isEmpty || $0 == $1 }
        }?.value
    }

    private func segments(_ path: String) -> [Substring] {
        let path = path.hasSuffix("/") ? path.dropLast() : path[...]
        // Slashes on the way to a source may be doubled.
        let parts = path.split(separator: "/")
        if parts.first == "hooks" { return [""] + parts }
        return path.split(separator: "/", omittingEmptySubsequences: false)
    }

    /// What is documented of a status: itself, or its class.
    func response(_ status: Int, of operation: Object) -> Object? {
        let responses = operation["responses"] as? Object
        return resolve(responses?["\(status)"] ?? responses?["\(status / 100)XX"])
    }

    func check(_ response: Response, to request: Request) {
        let what = Comment(rawValue: "\(request.method) \(request.path): \(response.status)")
        guard let path = path(request.path) else {
            #expect(response.status == 404, what)
            return
        }
        // RFC 9110 section 9.3.2: HEAD is GET without the body.
        let method = request.method == .head ? Relay.Method.get : request.method
        guard let operation = path[method.rawValue.lowercased()] as? Object else {
            // A source or vendor that is not there is found missing before the method is looked at.
            let isExpected = response.status == 405 || response.status == 404
            #expect(isExpected, what)
            return
        }
        if request.method == .head, response.status == 405 { return }
        guard let documented = self.response(response.status, of: operation) else {
            Issue.record("\(what) is not documented")
            return
        }
        let headers = documented["headers"] as? Object ?? [:]
        for (name, header) in headers where name != "X-Request-Id" && resolve(header)?["required"] as? Bool == true {
            #expect(response.header(name) != nil, "\(what) lacks \(name)")
        }
        for field in response.headers where field.name != "Content-Type" {
            #expect(headers[field.name] != nil, "\(what): \(field.name)")
        }
        if let content = documented["content"] as? Object, let type = response.header("Content-Type") {
            let bare = type.prefix { $0 != ";" }.lowercased()
            #expect(content[bare] != nil, "\(what): \(type)")
        }
    }
}
