import Relay

// What the desk says, for machines. Durations are in milliseconds, times as in the log.

extension DeskSurvey {
    /// Sorted, the most first.
    var sortedCounts: [(key: Key, count: Int)] {
        counts.map { ($0.key, $0.value) }.sorted { left, right in
            (right.count, left.key.app, left.key.state.rawValue, left.key.error)
                < (left.count, right.key.app, right.key.state.rawValue, right.key.error)
        }
    }

    var undelivered: Int { count(of: Set(DeskState.allCases).subtracting([.dead])) }
}

extension DeskReport {
    var json: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("undelivered", survey.undelivered)
            json.field("dead_letters", survey.count(of: [.dead]))
            json.field("writable", trouble == nil)
            if let trouble { json.field("trouble", trouble.description) }
            json.array("counts") { json in
                for (key, count) in survey.sortedCounts {
                    json.object { json in
                        json.field("app", key.app)
                        json.field("state", key.state.rawValue)
                        if !key.error.isEmpty { json.field("error_code", key.error) }
                        json.field("count", count)
                    }
                }
            }
            json.object("held") { json in
                for (app, hold) in held.sorted(by: { $0.key < $1.key }) { json.object(app) { hold.write(to: &$0) } }
            }
            json.array("items") { json in
                for item in survey.items { json.object { item.write(to: &$0, label) } }
            }
        }
        json.newline()
        return json.bytes
    }
}

extension DeskItem {
    func write(to json: inout JSONText, _ label: ProfileLabel) {
        json.field("state", state.rawValue)
        json.field("app", app)
        json.field("profile", label(profile))
        json.field("source", origin)
        json.array("identifiers") { json in
            for identifier in identifiers { json.element(identifier.name) }
        }
        json.field("age_ms", age.milliseconds)
        json.field("attempts", attempts)
        if let firstAge {
            json.field("count", count)
            json.field("first_age_ms", firstAge.milliseconds)
        }
        if let next { json.field("next_ms", next.milliseconds) }
        guard let failure else { return }
        if let status = failure.status { json.field("status", status) }
        failure.hiding(profile, label).write(to: &json)
    }
}

extension Failure {
    /// Adapty may quote whom we asked for.
    func hiding(_ profile: ProfileReference, _ label: ProfileLabel) -> Failure {
        Failure(status: status, code: code, message: message.replacing(profile.value, with: label(profile)))
    }
}

extension [DeskProfile] {
    func json(label: ProfileLabel) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.array("profiles") { json in
                for profile in self { json.object { profile.write(to: &$0, label) } }
            }
        }
        json.newline()
        return json.bytes
    }
}

extension DeskProfile {
    fileprivate func write(to json: inout JSONText, _ label: ProfileLabel) {
        json.field("app", app)
        json.field(profile.key, label(profile))
        if let undelivered { json.object("undelivered") { undelivered.write(to: &$0, label) } }
        json.object("waiting") { json in
            for field in waiting.fields {
                json.object(field.identifier.name) { json in
                    field.value.write("value", to: &json)
                    json.field("at", field.at.description)
                }
            }
        }
        json.object("applied") { json in
            for (field, confirmed) in applied {
                json.object(field.identifier.name) { json in
                    field.value.write("value", to: &json)
                    json.field("at", field.at.description)
                    json.field("confirmed", confirmed.description)
                }
            }
        }
        json.array("dead_letters") { json in
            for letter in deadLetters {
                json.object { json in
                    letter.item.write(to: &json, label)
                    json.object("values") { json in
                        for (identifier, value) in letter.identifiers.fields { value.write(identifier.name, to: &json) }
                    }
                }
            }
        }
    }
}

extension IntegrationIdentifiers.Value {
    fileprivate func write(_ name: String, to json: inout JSONText) {
        switch self {
        case .null: json.null(name)
        case .text(let text): json.field(name, text)
        }
    }

    var shown: String {
        switch self {
        case .null: "null"
        case .text(let text): text
        }
    }
}

extension DeskStep {
    /// - Parameter cursor: writes where to go on.
    func json(cursor: (DeskPlace) -> String) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("changed", changed)
            json.field("superseded", superseded)
            if let next { json.field("next", cursor(next)) } else { json.null("next") }
        }
        json.newline()
        return json.bytes
    }
}
