import Relay

/// How an answer leaves the connection behind.
enum Ending {
    case keepAlive
    /// HTTP/1.0 keeps a connection only where both sides say so.
    case keepAliveSpoken
    case close
}

extension Response {
    /// Writes the answer as it goes on the wire. RFC 9112 section 4.
    /// - Parameters:
    ///   - callersID: what goes back in `X-Request-Id`; nil for our own id.
    ///   - hasBody: false for the answer to HEAD, which has every field of one to GET and no body.
    func write(
        to text: inout ByteText, id: UniqueID, callersID: String?, date: [UInt8], ending: Ending, hasBody: Bool
    ) {
        text.append("HTTP/1.1 ")
        text.append(decimal: UInt64(status))
        text.append(" ")
        text.append(Self.reason(status))
        text.append("\r\nDate: ")
        text.append(date)
        text.append("\r\nX-Request-Id: ")
        if let callersID { text.append(callersID) } else { text.append(id) }
        for field in headers where !field.isFraming {
            text.append("\r\n")
            text.append(field.name)
            text.append(": ")
            let start = text.count
            text.append(field.value)
            // A line end in a value would begin a field, or an answer, of somebody else's making.
            text.mutateBytes(from: start) { value in
                for index in value.indices where value[index].isControl && value[index] != .tab {
                    value[index] = .space
                }
            }
        }
        // RFC 9110 section 8.6: none in 1xx and 204.
        if status >= 200, status != 204 {
            text.append("\r\nContent-Length: ")
            text.append(decimal: UInt64(body.count))
        }
        switch ending {
        case .keepAlive: break
        case .keepAliveSpoken: text.append("\r\nConnection: keep-alive")
        case .close: text.append("\r\nConnection: close")
        }
        text.append("\r\n\r\n")
        if hasBody, status != 204, status != 304 { text.append(body) }
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        // RFC 9112 section 4: the phrase may be empty, and clients ignore it.
        default: ""
        }
    }
}

extension Field {
    /// The fields that say where an answer ends are the listener's alone, whatever is relayed.
    fileprivate var isFraming: Bool {
        switch name.utf8.count {
        case 4, 10, 14, 17:
            ["date", "connection", "content-length", "transfer-encoding"].contains(name.lowercased())
        default: false
        }
    }
}
