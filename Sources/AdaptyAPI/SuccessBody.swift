import Relay

/// What Adapty answers when it took a patch: nothing, or JSON that is no error. v1 answers with the profile.
///
/// A captive portal, a proxy's page or an error with the wrong status is a 200 as well, and nothing was applied.
enum SuccessBody {
    static func isSuccess(_ answer: Answer) -> Bool {
        if answer.body.allSatisfy(\.isBlank) { return answer.isWhole }
        var reader = JSONReader(answer.body)
        var isError = false
        do throws(JSONReader.Malformed) {
            switch reader.next {
            case .object:
                try reader.object { (reader, key) throws(JSONReader.Malformed) in
                    let isThere = try reader.skipNoting()
                    if ["errors", "error", "error_code"].contains(key), isThere { isError = true }
                }
            case .array, .string:
                try reader.skip()
            case .other:
                let word = try reader.word()
                isError = !["true", "null"].contains(word) && Double(word) == nil
            }
            try reader.end()
        } catch {
            // A long profile is read in part.
            return !answer.isWhole && !isError && JSONReader(answer.body).next == .object
        }
        return !isError
    }
}

extension JSONReader {
    /// Skips a value. Returns whether there is something in it: neither null nor false nor empty.
    fileprivate mutating func skipNoting() throws(Malformed) -> Bool {
        switch next {
        case .object:
            var isThere = false
            try object { (reader, _) throws(Malformed) in
                isThere = true
                try reader.skip()
            }
            return isThere
        case .array:
            var isThere = false
            try array { (reader) throws(Malformed) in
                isThere = true
                try reader.skip()
            }
            return isThere
        case .string: return try stringOrSkip().map { !$0.isEmpty } ?? false
        case .other: return !["null", "false", "0"].contains(try word())
        }
    }
}
