/// What a sender signs, as a template: `{timestamp}.{body}`. What is not between braces stands for itself.
package struct SignedText: Sendable, Equatable {
    package enum Piece: Sendable, Equatable {
        case literal([UInt8])
        /// `{body}`: the bytes that were sent.
        case body
        /// `{timestamp}`: as it was sent.
        case timestamp
        /// `{header:NAME}`: the value of a header that stands there once.
        case header(String)
        /// `{method}`: POST.
        case method
        /// `{path}`: as it was sent, up to the question mark.
        case path
        /// `{query}`: as it was sent, behind the question mark.
        case query
    }

    package let pieces: [Piece]

    package static let body = SignedText([.body])

    package init(_ pieces: [Piece]) {
        self.pieces = pieces
    }

    /// - Throws: `Malformed`, with one sentence that says what is wrong and shows nothing of the text.
    package init(_ text: String) throws(Malformed) {
        var pieces: [Piece] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if brace > rest.startIndex { pieces.append(.literal(Array(rest[..<brace].utf8))) }
            guard rest[brace] == "{", let end = rest[brace...].firstIndex(of: "}") else {
                throw Malformed("there is a brace here without its other half")
            }
            pieces.append(try Self.piece(rest[rest.index(after: brace)..<end]))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.literal(Array(rest.utf8))) }
        guard pieces.contains(.body) else {
            throw Malformed("without {body} anybody could change what is sent; it must be signed")
        }
        self.pieces = pieces
    }

    package struct Malformed: Error {
        package let sentence: String

        fileprivate init(_ sentence: String) {
            self.sentence = sentence
        }
    }

    private static func piece(_ name: Substring) throws(Malformed) -> Piece {
        switch name {
        case "body": return .body
        case "timestamp": return .timestamp
        case "method": return .method
        case "path": return .path
        case "query": return .query
        default:
            if name.hasPrefix("header:") {
                let header = name.dropFirst("header:".count)
                if header.isHeaderName { return .header(String(header)) }
            }
            throw Malformed("only {body}, {timestamp}, {header:NAME}, {method}, {path} and {query} can stand here")
        }
    }
}

extension SignedText: CustomStringConvertible {
    package var description: String { pieces.map(\.description).joined() }
}

extension SignedText.Piece: CustomStringConvertible {
    package var description: String {
        switch self {
        case .literal(let text): String(decoding: text, as: UTF8.self)
        case .body: "{body}"
        case .timestamp: "{timestamp}"
        case .header(let name): "{header:\(name)}"
        case .method: "{method}"
        case .path: "{path}"
        case .query: "{query}"
        }
    }
}

extension StringProtocol {
    /// RFC 9110 section 5.6.2: a token.
    package var isHeaderName: Bool {
        !isEmpty && utf8.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }
}
