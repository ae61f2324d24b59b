/// Where each value came from and what was passed over, for a person. Collected only when somebody asks: the readers
/// are handed nil otherwise, and make no text.
package final class Trace {
    package struct Finding: Equatable, Sendable {
        /// Which event of the payload: `/users/2`, `line 3`; empty where there is only one.
        package let event: String
        /// What was looked for: `appsflyer_id`, `customer user id`.
        package let field: String
        /// Where; empty where it is nowhere.
        package let place: String
        /// Never a value.
        package let outcome: Outcome
    }

    package enum Outcome: Equatable, Sendable {
        case taken
        /// A text that says there is none: empty, "null", a macro nobody expanded.
        case meaningless
        /// Something other than a string or an integer, or not fit to be an id.
        case unusable(String)
        /// A rule of the vendor says that it must not be used.
        case excepted(String)
        /// It is there, and something that stands above it was taken.
        case overruled(by: String)
        case absent
        /// Of a time: it is there, and cannot be read.
        case oldest
    }

    package private(set) var findings: [Finding] = []

    func note(_ event: Position, _ field: String, _ place: String, _ outcome: Outcome) {
        findings.append(Finding(event: event.description, field: field, place: place, outcome: outcome))
    }
}

extension Trace.Finding: CustomStringConvertible {
    package var description: String {
        let what = event.isEmpty ? field : "\(event): \(field)"
        return switch outcome {
        case .taken: "\(what): taken from \(place)"
        case .meaningless: "\(what): \(place) holds a value that means nothing"
        case .unusable(let why): "\(what): \(place) is passed over, \(why)"
        case .excepted(let why): "\(what): \(place) is passed over, \(why)"
        case .overruled(by: let other): "\(what): not needed, \(other) is there"
        case .absent: "\(what): not found"
        case .oldest: "\(what): none can be read, so it counts as oldest"
        }
    }
}

/// Which event of a payload is meant.
struct Position: CustomStringConvertible {
    /// From 1; nil unless the payload is lines.
    var line: Int?
    /// From 0; nil unless the payload is an array.
    var element: Int?
    /// The member of an envelope that holds the event; nil where there is no envelope.
    var wrapper: String?
    /// From 0; nil unless the envelope holds an array.
    var index: Int?
    /// The batch it is a member of, and its place there from 0.
    var member: (batch: Place, index: Int)?

    var description: String {
        var words = ""
        var isApart = line != nil
        if let line { words = "line \(line)" }
        func step(_ name: String) {
            // The first is set apart from the line.
            if isApart { words += " " }
            isApart = false
            if name.utf8.first != UInt8(ascii: "/") { words += "/" }
            words += name
        }
        if let element { step(String(element)) }
        if let wrapper { step(wrapper) }
        if let index { step(String(index)) }
        if let member {
            step(member.batch.description)
            step(String(member.index))
        }
        return words
    }

    /// `/users/2: no user id`, or only the words where there is one event.
    func prefixing(_ words: String) -> String {
        var position = description
        if position.isEmpty { return words }
        position += ": "
        position += words
        return position
    }
}
