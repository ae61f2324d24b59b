// What the names in the description of the routes mean.

extension OpenAPIDocument {
    static func writeComponents(vendors: [String], to json: inout JSONText) {
        json.raw("securitySchemes", Array(securitySchemes.utf8))
        json.object("parameters") { json in
            json.object("Vendor") { json in
                json.field("name", "vendor")
                json.field("in", "path")
                json.field("required", true)
                json.object("schema") { json in
                    json.field("type", "string")
                    json.array("enum") { json in for vendor in vendors { json.element(vendor) } }
                }
            }
            json.splice(Array(parameters.utf8))
        }
        json.raw("headers", Array(headers.utf8))
        json.object("schemas") { json in
            for version in APIVersion.allCases { writeIdentifiers(of: version, to: &json) }
            json.splice(Array(schemas.utf8))
        }
        json.raw("requestBodies", Array(requestBodies.utf8))
        json.object("responses") { json in for response in responses { response.write(to: &json) } }
    }

    /// `IdentifiersV1` and `IdentifiersV2`: an object with at least one of the fields.
    private static func writeIdentifiers(of version: APIVersion, to json: inout JSONText) {
        let names = Identifier.allCases.filter { $0.isKnown(to: version) }.map(\.name)
        json.object("Identifiers\(version.rawValue.uppercased())") { json in
            json.field("type", "object")
            json.object("properties") { json in
                for name in names { json.object(name) { $0.reference("schemas", "Identifier") } }
            }
            json.array("anyOf") { json in
                for name in names { json.object { json in json.array("required") { $0.element(name) } } }
            }
        }
    }

    private static let securitySchemes = #"""
        {
          "ClientKey": {"type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`Api-Key <client key>`, as Adapty's own clients write it."},
          "BearerClientKey": {"type": "http", "scheme": "bearer",
            "description": "The same client key, or a profile token: a JWT that speaks for one profile."},
          "HookToken": {"type": "apiKey", "in": "query", "name": "token",
            "description": "A fixed token, under the name that the source is configured with."},
          "HookHeader": {"type": "apiKey", "in": "header", "name": "X-Api-Key",
            "description": "A fixed token, in the header that the source is configured with."},
          "HookBasic": {"type": "http", "scheme": "basic"},
          "HookSignature": {"type": "apiKey", "in": "header", "name": "webhook-signature",
            "description": "A signature over the body as it is sent, in the header and the form that the source is \#
        configured with: Standard Webhooks, HMAC or Ed25519."}
        }
        """#

    private static let parameters = #"""
        {
          "Source": {"name": "source", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
            "description": "A configured source of webhooks."},
          "Token": {"name": "token", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
            "description": "The token of a source that is configured to have it here; others have no such path."},
          "CustomerUserID": {"name": "adapty-customer-user-id", "in": "header",
            "schema": {"type": "string", "maxLength": 1024},
            "description": "The customer's id of the user. Either this or `adapty-profile-id` is required; an \#
        empty one counts as none."},
          "ProfileID": {"name": "adapty-profile-id", "in": "header",
            "schema": {"type": "string", "anyOf": [{"format": "uuid"}, {"maxLength": 0}]},
            "description": "Adapty's id of the profile. Either this or `adapty-customer-user-id` is required; an \#
        empty one counts as none."},
          "Event": {"name": "event", "in": "query", "required": true, "style": "form", "explode": true,
            "schema": {"type": "object", "minProperties": 1},
            "description": "The event's fields, each a parameter."},
          "Prefer": {"name": "Prefer", "in": "header", "schema": {"type": "string"},
            "description": "RFC 7240. `wait=N`: how many seconds to wait for Adapty (default 5, most 30). \#
        `respond-async`: 202 at once. Anything else is ignored."},
          "RequestId": {"name": "X-Request-Id", "in": "header", "schema": {"type": "string"},
            "description": "Comes back in the answer, and stands in the log. One that is not made of letters, digits \#
        and `-_.`, at most 128 of them, is ignored."}
        }
        """#

    private static let headers = #"""
        {
          "RequestId": {"required": true, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,128}$"},
            "description": "The caller's, if it sent a sane one, else a new UUID."},
          "AdaptyRequestId": {"schema": {"type": "string"},
            "description": "Adapty's own id of the request, where the answer is Adapty's."},
          "RetryAfter": {"required": true, "schema": {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "description": "Seconds after which to try again."},
          "RateLimit": {"schema": {"type": "string"}, "description": "What is left of each limit that was met."},
          "RateLimitPolicy": {"schema": {"type": "string"}, "description": "Each limit that was met."},
          "PreferenceApplied": {"schema": {"type": "string"}, "description": "`respond-async` where it was asked for."},
          "Allow": {"required": true, "schema": {"type": "string"}, "description": "The methods that are allowed."},
          "Challenge": {"schema": {"type": "string"}, "description": "What would be accepted."},
          "AcceptEncoding": {"schema": {"type": "string"}, "description": "The content codings that can be read."}
        }
        """#

    private static let schemas = #"""
        {
          "Identifier": {"type": ["string", "null"], "maxLength": 1024,
            "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]+$",
            "description": "At most 1024 bytes of UTF-8 without control characters. Null is passed on."},
          "HeldIdentifiers": {"type": "object", "additionalProperties": {"type": ["string", "null"]},
            "description": "The 16 fields, null where nothing is set."},
          "ClientPayload": {
            "type": "object",
            "properties": {
              "adapty_customer_user_id": {"type": ["string", "null"], "maxLength": 1024, "pattern": "^[!-~]+$"},
              "adapty_profile_id": {"type": ["string", "null"], "format": "uuid"}
            },
            "anyOf": [{"$ref": "#/components/schemas/IdentifiersV2"}, {"type": "object", "minProperties": 1}],
            "description": "Adapty's field names, or the vendor's own short ones such as `user_id` and `device_id`. \#
        The two names of the profile may stand here instead of in the headers."
          },
          "Receipt": {
            "type": "object",
            "required": ["accepted", "unchanged", "skipped", "id"],
            "properties": {
              "accepted": {"type": "integer", "minimum": 0, "description": "Patches that change something; durable."},
              "unchanged": {"type": "integer", "minimum": 0, "description": "Patches that say what is known already."},
              "skipped": {"type": "integer", "minimum": 0, "description": "Events that come to nothing."},
              "id": {"type": "string", "format": "uuid", "description": "Under which the outbox and the log have it."}
            }
          },
          "MixpanelAnswer": {
            "type": "object",
            "required": ["status"],
            "properties": {
              "action": {"type": "string"},
              "status": {"enum": ["success", "failure"]},
              "error": {
                "type": "object",
                "required": ["message", "code"],
                "properties": {"message": {"type": "string"}, "code": {"type": "integer"}}
              }
            },
            "description": "Mixpanel reads no other words: its calls are answered in its own."
          },
          "HookAnswer": {"anyOf": [{"$ref": "#/components/schemas/Receipt"},
            {"$ref": "#/components/schemas/MixpanelAnswer"}]},
          "HookError": {"anyOf": [{"$ref": "#/components/schemas/Error"},
            {"$ref": "#/components/schemas/MixpanelAnswer"}]},
          "Text": {"type": "string"},
          "Error": {
            "type": "object",
            "required": ["errors", "error_code", "status_code"],
            "properties": {
              "errors": {
                "type": "array",
                "items": {
                  "anyOf": [
                    {"type": "string"},
                    {"type": "object", "properties": {"source": {"type": ["string", "null"]},
                      "errors": {"type": "array", "items": {"type": "string"}}}}
                  ]
                }
              },
              "error_code": {"type": "string"},
              "status_code": {"type": "integer"}
            },
            "description": "Adapty's shape. Patchbay's own errors are lists of strings; Adapty's come in both forms."
          },
          "Description": {"type": "object", "required": ["openapi", "info", "paths"]}
        }
        """#

    private static let requestBodies = #"""
        {
          "Webhook": {
            "content": {
              "application/json": {"schema": {}},
              "application/x-ndjson": {"schema": {}},
              "application/x-www-form-urlencoded": {"schema": {"type": "object", "minProperties": 1}}
            },
            "description": "One event or a batch, as the partner sends it."
          },
          "Client": {"required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ClientPayload"}}}},
          "IdentifiersV2": {"required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/IdentifiersV2"}}}},
          "IdentifiersV1": {"required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/IdentifiersV1"}}}}
        }
        """#
}

// MARK: - Responses

extension OpenAPIDocument {
    /// One answer that operations refer to.
    private struct Answer {
        let name: String
        let description: String
        /// The body's schema, by content type; empty where nothing is said of it.
        var content: KeyValuePairs = ["application/json": "Error"]
        /// Beside `X-Request-Id`, which every answer carries.
        var headers: KeyValuePairs<String, String> = [:]

        func write(to json: inout JSONText) {
            json.object(name) { json in
                json.field("description", description)
                json.object("headers") { json in
                    json.object("X-Request-Id") { $0.reference("headers", "RequestId") }
                    for (header, name) in headers { json.object(header) { $0.reference("headers", name) } }
                }
                guard !content.isEmpty else { return }
                json.object("content") { json in
                    for (type, schema) in content {
                        json.object(type) { json in json.object("schema") { $0.reference("schemas", schema) } }
                    }
                }
            }
        }
    }

    private static let responses = [
        Answer(
            name: "HookTaken", description: "Taken: what is counted as accepted is durable.",
            content: ["application/json": "HookAnswer"]),
        Answer(
            name: "HookUnauthorized", description: "Not what the source is configured to prove.",
            content: ["application/json": "HookError"],
            headers: ["WWW-Authenticate": "Challenge"]),
        Answer(
            name: "HookTooManyRequests", description: "The source is over its limit.",
            content: ["application/json": "HookError"],
            headers: limited),
        Answer(
            name: "HookUnavailable", description: "A fault on Patchbay's side; nothing was taken.",
            content: ["application/json": "HookError"], headers: ["Retry-After": "RetryAfter"]),
        Answer(
            name: "Applied",
            description: """
                Adapty holds it. An app that speaks v2 upstream answers with a blank body, one that speaks v1 with the \
                profile, as Adapty does.
                """, content: [:], headers: ["Request-Id": "AdaptyRequestId"]),
        Answer(
            name: "Accepted", description: "Durable, and on its way; Adapty's answer was not waited for any longer.",
            content: ["application/json": "Receipt"], headers: ["Preference-Applied": "PreferenceApplied"]),
        Answer(
            name: "Identifiers", description: "What Adapty holds of the profile.",
            content: ["application/json": "HeldIdentifiers"],
            headers: ["Request-Id": "AdaptyRequestId"]),
        Answer(
            name: "Relayed", description: "What else Adapty says, as it came.",
            headers: ["Request-Id": "AdaptyRequestId"]),
        Answer(
            name: "BadRequest", description: "Malformed, or nothing to set, or nobody to set it on.",
            headers: ["Request-Id": "AdaptyRequestId"]),
        Answer(
            name: "Unauthorized", description: "No client key, or one that is not known.",
            headers: ["WWW-Authenticate": "Challenge"]),
        Answer(name: "Forbidden", description: "The client key's scopes do not allow it."),
        Answer(name: "NotFound", description: "There is nothing of that name."),
        Answer(
            name: "ProfileNotFound", description: "Adapty has no such profile; or there is no vendor of that name.",
            headers: ["Request-Id": "AdaptyRequestId"]),
        Answer(
            name: "MethodNotAllowed", description: "The app speaks v1 of the API, which cannot be read.",
            headers: ["Allow": "Allow"]),
        Answer(name: "RequestTimeout", description: "The request did not arrive in time."),
        Answer(name: "ContentTooLarge", description: "The body is larger than is taken."),
        Answer(name: "URITooLong", description: "The request target is too long."),
        Answer(
            name: "UnsupportedMediaType", description: "The content type or coding cannot be read.",
            headers: ["Accept-Encoding": "AcceptEncoding"]),
        Answer(name: "ExpectationFailed", description: "Only 100-continue can be expected."),
        Answer(
            name: "TooManyRequests", description: "Over a limit: the client key's, the address's, the profile's.",
            headers: limited),
        Answer(name: "FieldsTooLarge", description: "The header has too many or too large fields."),
        Answer(
            name: "Unavailable", description: "A fault on Patchbay's side; nothing was taken.",
            headers: ["Retry-After": "RetryAfter", "Request-Id": "AdaptyRequestId"]),
        Answer(name: "VersionNotSupported", description: "Only HTTP/1.0 and HTTP/1.1 are spoken."),
        Answer(name: "Health", description: "Yes.", content: ["text/plain": "Text"]),
        Answer(
            name: "NotReady", description: "It starts, drains, or cannot store.",
            content: ["text/plain": "Text", "application/json": "Error"]),
        Answer(name: "Description", description: "OpenAPI 3.1.", content: ["application/json": "Description"]),
    ]

    private static let limited: KeyValuePairs = [
        "Retry-After": "RetryAfter", "RateLimit": "RateLimit", "RateLimit-Policy": "RateLimitPolicy",
        "Request-Id": "AdaptyRequestId",
    ]
}
