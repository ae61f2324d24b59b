/// Origins of web pages (RFC 6454), as browsers write them: `https://app.example.com`, `http://localhost:3000`.
/// Compared byte for byte: a browser writes each in one way, and nothing else has to be guessed.
package struct Origins: Sendable, Hashable {
    private let known: Set<[UInt8]>

    package init(_ origins: some Sequence<String>) {
        known = Set(origins.map { Array($0.utf8) })
    }

    private init(known: Set<[UInt8]>) {
        self.known = known
    }

    package static let none = Origins([])

    package var isEmpty: Bool { known.isEmpty }

    package func union(_ others: Origins) -> Origins { Origins(known: known.union(others.known)) }

    /// Whether a request came from nowhere else: it names one of these, or none at all, as what is no browser does.
    func admit(_ headers: Headers) -> Bool {
        switch headers.single("origin") {
        case .absent: true
        case .present(let origin): known.contains(Array(origin))
        case .repeated: false
        }
    }

    /// The origin that a request names, if it is one of these.
    func named(in headers: Headers) -> String? {
        guard case .present(let origin) = headers.single("origin"), known.contains(Array(origin)) else { return nil }
        return String(decoding: origin, as: UTF8.self)
    }
}

extension Refusal {
    /// The origin itself is a stranger's text, and stands in no log.
    static var originNotAllowed: Refusal {
        var refusal = forbidden("This origin is not allowed here.")
        refusal.cause = originNotAllowedCause
        return refusal
    }

    static let originNotAllowedCause = "origin_not_allowed"
}
