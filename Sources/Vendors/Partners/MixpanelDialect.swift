import Relay

/// Mixpanel wants `{"action": <the same>, "status": "success" | "failure", "error": {"message", "code"}}`.
///
/// It pauses the whole sync on 400, 401, 403 and 404, and tells its users; so only a bad credential is answered so.
/// What else is wrong with one call is said in the body, and the sync goes on. 429 and 5xx are tried again, and stay
/// what they are.
struct MixpanelDialect: Dialect {
    func answer(_ receipt: Receipt, to request: Request) -> Response {
        var json = JSONText()
        json.object { json in
            if let action = Self.action(of: request) { json.field("action", action) }
            json.field("status", "success")
        }
        return .json(200, json.bytes)
    }

    func answer(_ refusal: Refusal, to request: Request) -> Response {
        var json = JSONText()
        json.object { json in
            if let action = Self.action(of: request) { json.field("action", action) }
            json.field("status", "failure")
            json.object("error") { json in
                json.field("message", refusal.message)
                json.field("code", refusal.status)
            }
        }
        var response = Response.json(Self.status(of: refusal), json.bytes)
        response.headers += refusal.headers
        return response
    }

    private static func status(of refusal: Refusal) -> Int {
        switch refusal.status {
        case 401, 408, 429, 500...: refusal.status
        default: 200
        }
    }

    /// What is answered is what was asked, cut short: it is echoed before anybody believed it.
    private static func action(of request: Request) -> String? {
        // Calls are minutes apart: not worth a pool.
        let action = try? JSONParser().withDocument(request.body) { $0["action"]?.string }
        return action.map { String($0.prefix(64)) }
    }
}
