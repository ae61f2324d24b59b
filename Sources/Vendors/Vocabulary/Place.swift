/// Where a value can stand in a payload.
///
/// - `/user/tags/id`: a JSON pointer (RFC 6901). A step into a string reads the JSON in that string. A step into an
///   array goes to the element of that index, or to the element whose `key` is that name: `[{"key":"id","value":...}]`.
/// - `event.subscription_id`: one name, as it stands: a query parameter, a form field, a top-level member. Dots mean
///   nothing.
///
/// A form or query is read as an object of strings, so both kinds fit every payload.
package struct Place: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    /// The names from the top of the event downwards; never empty.
    let steps: [String]
    /// It stands beside the batch, not in its members.
    let isOfEnvelope: Bool

    /// - Throws: a sentence for whoever wrote it.
    package init(parsing text: String) throws(Mistake) {
        guard !text.isEmpty else {
            throw Mistake("A place is a JSON pointer (/user/id) or a name (user_id); it cannot be empty.")
        }
        self.init(text)
        guard text.hasPrefix("/") else { return }
        for token in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            var rest = token[...]
            while let tilde = rest.firstIndex(of: "~") {
                rest = rest[tilde...].dropFirst()
                guard let next = rest.first, next == "0" || next == "1" else {
                    throw Mistake("In the JSON pointer \(text) a ~ must be written ~0.")
                }
            }
        }
        guard steps.count <= Self.mostSteps else {
            throw Mistake("The JSON pointer \(text) has more than \(Self.mostSteps) steps.")
        }
    }

    static let mostSteps = 16

    private init(_ text: String, isOfEnvelope: Bool = false) {
        description = text
        self.isOfEnvelope = isOfEnvelope
        guard text.hasPrefix("/") else {
            steps = [text]
            return
        }
        steps = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.unescape)
    }

    /// RFC 6901 section 4: `~1` before `~0`, so that `~01` becomes `~1`.
    private static func unescape(_ token: Substring) -> String {
        var text = ""
        var rest = token[...]
        while let character = rest.popFirst() {
            guard character == "~", let escaped = rest.first, escaped == "0" || escaped == "1" else {
                text.append(character)
                continue
            }
            rest.removeFirst()
            text.append(escaped == "0" ? "~" : "/")
        }
        return text
    }

    /// A place beside the batch: what it says holds for every member.
    package static func envelope(_ text: String) -> Place {
        Place(text, isOfEnvelope: true)
    }

    /// What is wrong with something that was configured, in a sentence.
    package struct Mistake: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) {
            self.description = description
        }
    }
}

extension Place: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) {
        self.init(text)
    }
}
