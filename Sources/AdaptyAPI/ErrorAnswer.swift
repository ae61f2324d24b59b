import Relay

/// What Adapty says is wrong, from any of the shapes in which it says so:
///
///     {"errors":["Invalid API key"],"error_code":"unauthorized","status_code":401}
///     {"errors":[{"source":"branch_id","errors":["Too long."]}],"error_code":"validation_error","status_code":400}
///     {"errors":[{"code":"profile_does_not_exist","detail":"No such profile.","status":"404"}]}
///
/// The first is in the documentation's samples, the second in its schema, the third (JSON:API) on other endpoints.
struct ErrorAnswer: Equatable {
    static let mostCodeBytes = 64
    static let mostWordBytes = 512

    private(set) var code: String?
    /// Together at most `mostWordBytes`.
    private(set) var words: [String] = []
    private var wordBytes = 0
    /// It lists errors in one of Adapty's ways.
    private var hasErrors = false
    private var named: IdentifierSet = []
    private var namesProfile = false

    /// Whether these are Adapty's words, and not those of a proxy that speaks JSON as well: `{}`, `{"message":"..."}`.
    var isAdaptys: Bool { code != nil || hasErrors }

    /// Which of a patch's fields they are about.
    var fields: FieldRejection.Fields { namesProfile ? .all : named.isEmpty ? .unnamed : .named(named) }

    var isProfileMissing: Bool { code.map { Failure.missingProfileCodes.contains($0) } ?? false }

    /// Nil for what is no JSON object: a proxy's HTML, nothing, half an answer.
    init?(_ body: [UInt8]) {
        var reader = JSONReader(body)
        do throws(JSONReader.Malformed) {
            try reader.object { (reader, key) throws(JSONReader.Malformed) in
                switch key {
                case "error_code": note(code: try reader.stringOrSkip())
                case "errors": try readErrors(&reader)
                case "detail", "message": note(word: try reader.stringOrSkip())
                default: try reader.skip()
                }
            }
            try reader.end()
        } catch {
            return nil
        }
    }

    private mutating func readErrors(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
        guard reader.next == .array else { return note(word: try reader.stringOrSkip()) }
        try reader.array { (reader) throws(JSONReader.Malformed) in
            guard reader.next == .object else {
                if reader.next == .string { hasErrors = true }
                return note(word: try reader.stringOrSkip())
            }
            try readMember(&reader)
        }
    }

    private mutating func readMember(_ reader: inout JSONReader) throws(JSONReader.Malformed) {
        var source: String?
        var said: [String] = []
        try reader.object { (reader, key) throws(JSONReader.Malformed) in
            switch key {
            case "code", "error_code":
                note(code: try reader.stringOrSkip())
            case "source" where reader.next == .object:
                // JSON:API: `{"pointer":"/data/attributes/branch_id"}`, `{"header":"adapty-profile-id"}`.
                try reader.object { (reader, _) throws(JSONReader.Malformed) in
                    if let place = try reader.stringOrSkip() { note(source: place) }
                }
            case "source":
                source = try reader.stringOrSkip()
            case "detail", "title", "message":
                if let word = try reader.stringOrSkip() { said.append(word) }
            case "errors" where reader.next == .array:
                try reader.array { (reader) throws(JSONReader.Malformed) in
                    if let word = try reader.stringOrSkip() { said.append(word) }
                }
                hasErrors = hasErrors || !said.isEmpty
            default:
                try reader.skip()
            }
        }
        if let source { note(source: source) }
        for word in said { note(word: source.map { "\($0): \(word)" } ?? word) }
    }

    /// A field's name, perhaps at the end of a path.
    private mutating func note(source: String) {
        let name = source.split { $0 == "." || $0 == "/" }.last.map(String.init) ?? source
        if let identifier = Identifier(name: name) {
            named.formUnion(IdentifierSet(identifier))
        } else if Self.profileSources.contains(name.lowercased().replacing("-", with: "_")) {
            namesProfile = true
        }
    }

    private static let profileSources: Set<String> = [
        "adapty_profile_id", "adapty_customer_user_id", "profile_id", "customer_user_id",
    ]

    /// The first one counts: the top-level one stands before, or instead of, a member's.
    private mutating func note(code: String?) {
        guard self.code == nil, let code, !code.isEmpty else { return }
        self.code = code.bounded(to: Self.mostCodeBytes)
    }

    private mutating func note(word: String?) {
        guard let word, wordBytes < Self.mostWordBytes else { return }
        let bounded = word.bounded(to: Self.mostWordBytes - wordBytes)
        guard !bounded.isEmpty else { return }
        wordBytes += bounded.utf8.count + 1
        words.append(bounded)
    }
}

extension String {
    /// Whole characters, at most so many bytes of them; a line's end or another control character becomes a blank.
    fileprivate func bounded(to most: Int) -> String {
        var bounded = ""
        var count = 0
        for scalar in unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= most else { break }
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            bounded.unicodeScalars.append(isControl ? " " : scalar)
        }
        return bounded
    }
}
