/// The public routes described for programs: OpenAPI 3.1, served at `/openapi.json`.
///
/// Which routes there are and what each may answer stands here; what the names mean, in
/// `OpenAPIDocument+Components.swift`. A test holds every answer of `PublicAPI` against it.
package struct OpenAPIDocument: Sendable {
    package let json: [UInt8]

    /// - Parameter vendors: the names that `/client/{vendor}` takes.
    package init(vendors: [String]) {
        var json = JSONText(reserving: 32768)
        json.object { json in
            json.field("openapi", "3.1.0")
            json.raw("info", Array(Self.info.utf8))
            json.array("servers") { json in json.object { $0.field("url", "/") } }
            json.object("paths") { json in
                for path in Self.paths {
                    json.object(path.template) { json in for operation in path.operations { operation.write(to: &json) }
                    }
                }
            }
            json.object("components") { Self.writeComponents(vendors: vendors, to: &$0) }
        }
        self.json = json.bytes
    }

    var answer: Response {
        var response = Response.json(200, json)
        response.account.route = "/openapi.json"
        return response
    }

    private static let info = """
        {
          "title": "Patchbay",
          "version": "1",
          "description": "Partner webhooks and client apps come in; integration identifiers go out to Adapty. A \
        trailing slash is optional on every path. Every error has Adapty's shape. What is wrong on Patchbay's side is \
        503 with Retry-After, never 4xx."
        }
        """
}

extension OpenAPIDocument {
    private struct Path {
        let template: String
        let operations: [Operation]
    }

    /// One method of one path.
    private struct Operation {
        let method: Method
        let id: String
        let summary: String
        var security: [String] = []
        /// Names in `components`, as all below.
        var parameters: [String] = []
        var requestBody: String?
        /// By status, or class of statuses.
        let answers: KeyValuePairs<String, String>
        /// More of them, where `answers` says nothing else of their status.
        var common: [Common] = [.framing]

        func write(to json: inout JSONText) {
            json.object(method.rawValue.lowercased()) { json in
                json.field("operationId", id)
                json.field("summary", summary)
                if !security.isEmpty {
                    json.array("security") { json in
                        for scheme in security {
                            json.object { json in if !scheme.isEmpty { json.array(scheme) { _ in } } }
                        }
                    }
                }
                json.array("parameters") { json in
                    for name in parameters + ["RequestId"] { json.object { $0.reference("parameters", name) } }
                }
                if let requestBody { json.object("requestBody") { $0.reference("requestBodies", requestBody) } }
                json.object("responses") { json in
                    let shared = common.flatMap { Array($0.answers) }.filter { shared in
                        !answers.contains { $0.key == shared.key }
                    }
                    for (status, name) in Array(answers) + shared {
                        json.object(status) { $0.reference("responses", name) }
                    }
                }
            }
        }
    }

    /// Answers that many operations share.
    private enum Common {
        /// Bytes that are no request; too much at once.
        case framing
        case body
        case clientKey

        var answers: KeyValuePairs<String, String> {
            switch self {
            case .framing:
                [
                    "408": "RequestTimeout", "414": "URITooLong", "417": "ExpectationFailed", "431": "FieldsTooLarge",
                    "503": "Unavailable", "505": "VersionNotSupported",
                ]
            case .body: ["413": "ContentTooLarge", "415": "UnsupportedMediaType"]
            case .clientKey: ["401": "Unauthorized", "403": "Forbidden", "429": "TooManyRequests"]
            }
        }
    }

    private static let paths = [
        Path(
            template: "/hooks/{source}",
            operations: [
                hook(.get, "getHook", parameters: ["Event"], common: [.framing]),
                hook(.post, "postHook", requestBody: "Webhook", common: [.framing, .body]),
                hook(.put, "putHook", requestBody: "Webhook", common: [.framing, .body]),
                hook(.patch, "patchHook", requestBody: "Webhook", common: [.framing, .body]),
            ]),
        Path(
            template: "/hooks/{source}/{token}",
            operations: [
                hook(.get, "getHookByToken", security: [""], parameters: ["Token", "Event"], common: [.framing]),
                hook(
                    .post, "postHookByToken", security: [""], parameters: ["Token"], requestBody: "Webhook",
                    common: [.framing, .body]),
                hook(
                    .put, "putHookByToken", security: [""], parameters: ["Token"], requestBody: "Webhook",
                    common: [.framing, .body]),
                hook(
                    .patch, "patchHookByToken", security: [""], parameters: ["Token"], requestBody: "Webhook",
                    common: [.framing, .body]),
            ]),
        Path(
            template: "/client/{vendor}",
            operations: [
                Operation(
                    method: .post, id: "setFromClient", summary: "A client app's ids, under the vendor's short names",
                    security: clientSecurity, parameters: ["Vendor"] + profile + ["Prefer"], requestBody: "Client",
                    answers: relayed, common: [.framing, .body, .clientKey])
            ]),
        Path(
            template: "/api/v2/\(PublicAPI.dropInSuffix)/",
            operations: [
                Operation(
                    method: .get, id: "getIntegrationIdentifiers", summary: "What Adapty holds of a profile",
                    security: clientSecurity, parameters: profile,
                    answers: [
                        "200": "Identifiers", "400": "BadRequest", "404": "ProfileNotFound", "405": "MethodNotAllowed",
                        "4XX": "Relayed", "5XX": "Relayed",
                    ], common: [.framing, .clientKey]),
                Operation(
                    method: .post, id: "setIntegrationIdentifiers", summary: "Sets identifiers on a profile",
                    security: clientSecurity, parameters: profile + ["Prefer"], requestBody: "IdentifiersV2",
                    answers: relayed, common: [.framing, .body, .clientKey]),
            ]),
        Path(
            template: "/api/v1/\(PublicAPI.dropInSuffix)/",
            operations: [
                Operation(
                    method: .post, id: "addIntegrationIdentifiers",
                    summary: "Sets identifiers on a profile, as v1 does",
                    security: clientSecurity, parameters: profile + ["Prefer"], requestBody: "IdentifiersV1",
                    answers: relayed, common: [.framing, .body, .clientKey])
            ]),
        Path(
            template: "/livez",
            operations: [
                Operation(
                    method: .get, id: "isAlive", summary: "Whether the process runs",
                    answers: ["200": "Health", "400": "BadRequest"])
            ]),
        Path(
            template: "/readyz",
            operations: [
                Operation(
                    method: .get, id: "isReady", summary: "Whether it takes traffic",
                    answers: ["200": "Health", "400": "BadRequest", "503": "NotReady"])
            ]),
        Path(
            template: "/openapi.json",
            operations: [
                Operation(
                    method: .get, id: "getDescription", summary: "This document",
                    answers: ["200": "Description", "400": "BadRequest"])
            ]),
    ]

    private static let clientSecurity = ["ClientKey", "BearerClientKey"]
    private static let profile = ["CustomerUserID", "ProfileID"]

    /// What becomes of a client's patch: what Adapty says of it, or that it is on its way.
    private static let relayed: KeyValuePairs = [
        "200": "Applied", "202": "Accepted", "400": "BadRequest", "404": "ProfileNotFound", "4XX": "Relayed",
    ]

    private static func hook(
        _ method: Method, _ id: String,
        security: [String] = ["HookToken", "HookHeader", "HookBasic", "HookSignature", ""],
        parameters: [String] = [], requestBody: String? = nil, common: [Common]
    ) -> Operation {
        Operation(
            method: method, id: id, summary: "A partner's webhook",
            security: security, parameters: ["Source"] + parameters,
            requestBody: requestBody,
            answers: [
                "200": "HookTaken", "400": "BadRequest", "401": "HookUnauthorized", "404": "NotFound",
                "429": "HookTooManyRequests", "503": "HookUnavailable",
            ], common: common)
    }
}

extension JSONText {
    mutating func reference(_ kind: String, _ name: String) {
        field("$ref", "#/components/\(kind)/\(name)")
    }
}
