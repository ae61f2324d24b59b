/// Writes the Prometheus text format, version 0.0.4.
struct MetricsText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// The two lines before a metric's samples.
    mutating func head(_ name: String, _ kind: Kind) {
        if let help = Self.help[name] { text += "# HELP \(name) \(help)\n" }
        text += "# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// One sentence per metric; the README's table is this one.
    static let help = [
        "patchbay_attempt_seconds": "How long attempts at the upstream took.",
        "patchbay_attempts_total": "Attempts at the upstream, by app and outcome.",
        "patchbay_circuit_open": "1 while an app's deliveries are held back: failing upstream or wrong settings.",
        "patchbay_dead_letters": "Deliveries that will not be tried again by themselves.",
        "patchbay_oldest_waiting_seconds": "Since when the oldest profile waits for its delivery.",
        "patchbay_outbox_accepted_total": "Patches stored durably.",
        "patchbay_outbox_commit_seconds": "How long the outbox's commits took, fsync included.",
        "patchbay_outbox_commits_total": "Commits of the outbox; each makes many patches durable.",
        "patchbay_outbox_file_bytes": "Size of the outbox's file and its write-ahead log.",
        "patchbay_outbox_log_held_total": "Times a reader kept the write-ahead log from beginning anew.",
        "patchbay_outbox_lookups_total": "Profiles that were not in memory, looked up in the file, by what came of it.",
        "patchbay_outbox_trimmed_total": "Delivered profiles and dead letters that were forgotten, by kind.",
        "patchbay_outbox_writable": "1 while events are stored; 0 while they are answered 503.",
        "patchbay_patches_total": "Patches accepted, and those that said what was known already.",
        "patchbay_profiles_waiting": "Profiles with a patch that is not delivered yet.",
        "patchbay_rejections_total": "Requests refused, by route, caller, error code and cause.",
        "patchbay_request_seconds": "How long requests took from their last byte to the answer.",
        "patchbay_requests_total": "Requests answered, by route, caller and status.",
        "patchbay_skips_total": "Events understood that came to nothing, by source and reason.",
        "patchbay_unreadable_times_total": "Patches whose event time is there and cannot be read, by source.",
    ]
}
