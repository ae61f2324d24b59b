import Relay

/// How an answer leaves the connection behind.
enum Ending {
    case keepAlive
    /// HTTP/1.0 keeps a connection only where both sides say so.
    case keepAliveSpoken
    case close
}

extension Response {
    /// The answer as it goes on the wire, in one buffer and so in one `send`. RFC 9112 section 4.
    /// - Parameter hasBody: false for the answer to HEAD, which has every field of one to GET and no body.
    func bytes(requestID: String, date: [UInt8], ending: Ending, hasBody: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256 + headers.reduce(0) { $0 + $1.value.utf8.count } + (hasBody ? body.count : 0))
        bytes.append("HTTP/1.1 ")
        bytes.append(number: status)
        bytes.append(" ")
        bytes.append(Self.reason(status))
        bytes.append("\r\nDate: ")
        bytes += date
        bytes.append("\r\nX-Request-Id: ")
        bytes += requestID.utf8
        for field in headers where !field.isFraming {
            bytes.append("\r\n")
            bytes += field.name.utf8
            bytes.append(": ")
            // A line end in a value would begin a field, or an answer, of somebody else's making.
            let start = bytes.count
            bytes += field.value.utf8
            if bytes.span.hasControl(in: start..<bytes.count) {
                for index in start..<bytes.count where bytes[index].isControl { bytes[index] = .space }
            }
        }
        // RFC 9110 section 8.6: none in 1xx and 204.
        if status >= 200, status != 204 {
            bytes.append("\r\nContent-Length: ")
            bytes.append(number: body.count)
        }
        switch ending {
        case .keepAlive: break
        case .keepAliveSpoken: bytes.append("\r\nConnection: keep-alive")
        case .close: bytes.append("\r\nConnection: close")
        }
        bytes.append("\r\n\r\n")
        if hasBody, status != 204, status != 304 { bytes += body }
        return bytes
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

extension [UInt8] {
    fileprivate mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    fileprivate mutating func append(number: Int) {
        append(contentsOf: String(number).utf8)
    }
}
