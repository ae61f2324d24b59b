import Relay

// What the desk says, for a person at a terminal.

extension OutboxFailure {
    /// What is so, and what to do about it.
    fileprivate var advice: String {
        let remedy =
            switch self {
            case .full: "Make room on its disk: it goes on by itself within a second or two."
            case .unavailable: "It is tried again every second: what is in the way has to go."
            case .closed: "Start the node again."
            }
        return "The outbox cannot be written, and every event is answered 503 until it can: \(self).\n\(remedy)\n\n"
    }
}

extension DeskReport {
    var text: String { (trouble?.advice ?? "") + counted }

    private var counted: String {
        let dead = survey.count(of: [.dead])
        guard survey.total > 0 else {
            return isPart
                ? "Nothing undelivered and no dead letter is like that.\n"
                : trouble == nil
                    ? "Nothing is undelivered, and there are no dead letters.\n"
                    : "Nothing of what was accepted before is undelivered, and there are no dead letters.\n"
        }
        var text = "\(survey.undelivered) undelivered, \(dead) dead \(dead == 1 ? "letter" : "letters").\n"
        for (app, hold) in held.sorted(by: { $0.key < $1.key }) { text += hold.sentence(of: app) }
        text += "\n"
        text += table(
            ["count", "app", "state", "error"],
            survey.sortedCounts.map { [String($0.count), $0.key.app, $0.key.state.rawValue, $0.key.error] })
        guard !survey.items.isEmpty else { return text }
        text += "\n"
        text += table(
            ["age", "app", "state", "profile", "source", "attempts", "next", "last error"],
            survey.items.map { item in
                [
                    item.age.shown, item.app, item.state.rawValue, label(item.profile), item.origin,
                    String(item.attempts), item.next.map { "in " + $0.shown } ?? "",
                    item.failure.map { $0.hiding(item.profile, label).shown } ?? "",
                ]
            })
        let more = survey.total - survey.items.count
        if more > 0 { text += "... and \(more) more; --limit shows more of them.\n" }
        return text
    }
}

extension DeliveryConditions.Hold {
    fileprivate func sentence(of app: String) -> String {
        switch self {
        case .open(let failure): "\(app) is held back, its upstream fails: \(failure.shown)\n"
        case .paused(let failure): "\(app) is paused, its settings are wrong: \(failure.shown)\n"
        case .disabled: "\(app) is disabled in the configuration: what comes is kept, nothing is delivered\n"
        }
    }
}

extension Failure {
    fileprivate var shown: String {
        [status.map { String($0) }, code, message].compactMap { $0 }.joined(separator: " ").oneLine(of: 120)
    }
}

extension DeskProfile {
    func text(label: ProfileLabel) -> String {
        var text = "\(profile.key) \(label(profile)) in \(app): "
        if let undelivered {
            text += "\(undelivered.state.rawValue) for \(undelivered.age.shown), "
            text += "brought by \(undelivered.origin), attempts \(undelivered.attempts)"
            text += undelivered.next.map { ", next in \($0.shown)\n" } ?? "\n"
            if let failure = undelivered.failure { text += "last error: \(failure.hiding(profile, label).shown)\n" }
        } else {
            text += "nothing waits\n"
        }
        let waits = waiting.fields.map { ["waits", $0.identifier.name, $0.value.shown, $0.at.description, ""] }
        let holds = applied.map { field, confirmed in
            ["applied", field.identifier.name, field.value.shown, field.at.description, confirmed.description]
        }
        if !waits.isEmpty || !holds.isEmpty {
            text += table(["", "identifier", "value", "true from", "applied at"], waits + holds)
        }
        for (item, identifiers) in deadLetters {
            text += "dead for \(item.age.shown), brought by \(item.origin), attempts \(item.attempts)"
            text += item.failure.map { ": \($0.hiding(profile, label).shown)\n" } ?? "\n"
            for (identifier, value) in identifiers.fields { text += "  \(identifier.name) \(value.shown)\n" }
        }
        return text
    }
}

/// Columns as wide as their widest cell.
private func table(_ head: [String], _ rows: [[String]]) -> String {
    let rows = [head] + rows.map { $0.map { $0.oneLine(of: 160) } }
    let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        var line = ""
        for (cell, width) in zip(row, widths) { line += cell + String(repeating: " ", count: width - cell.count + 2) }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }.joined()
}

extension String {
    /// Ids and the upstream's words come from strangers: nothing of them moves a terminal's cursor.
    fileprivate func oneLine(of most: Int) -> String {
        let shown = String(
            String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        return shown.count > most ? shown.prefix(most - 3) + "..." : shown
    }
}

extension Duration {
    /// The two largest units: `3d 4h`, `2m 5s`, `0s`.
    fileprivate var shown: String {
        let seconds = max(milliseconds, 0) / 1000
        let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")]
        var rest = seconds
        var parts: [String] = []
        for (length, name) in units {
            if rest >= length { parts.append("\(rest / length)\(name)") }
            rest %= length
        }
        return parts.isEmpty ? "0s" : parts.prefix(2).joined(separator: " ")
    }
}
