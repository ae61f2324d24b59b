package import Relay

/// What a sandbox is like.
package struct SandboxSettings: Sendable {
    /// Secret keys it takes.
    package var keys: [Secret]
    /// Profiles that exist from the start.
    package var profiles: [ProfileReference] = []
    /// Every profile exists as soon as it is named.
    package var acceptsAnyProfile = false
    package var faults = SandboxFaults()

    package init(keys: [Secret]) {
        self.keys = keys
    }
}

/// What goes wrong, and how often.
package struct SandboxFaults: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Applies late, and answers then, whether somebody still waits for it or not.
        case latency(Duration)
        /// Answers with that status instead; 429 and 503 with `Retry-After`.
        case status(Int)
        /// Closes the connection without a word.
        case reset
    }

    package struct Fault: Sendable, Equatable {
        package let kind: Kind
        /// From 0 to 1.
        package let probability: Double
    }

    package private(set) var faults: [Fault] = []

    package init() {}

    /// Reads `latency=200ms` or `latency=20s`, `429`, `500:0.2`, `reset:0.05`: what, and with which probability if not
    /// always.
    package mutating func add(_ text: String) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1)
        var probability = 1.0
        if parts.count == 2 {
            guard let given = Double(parts[1]), (0...1).contains(given) else { return false }
            probability = given
        }
        guard let kind = parts.first.flatMap(Self.kind) else { return false }
        faults.append(Fault(kind: kind, probability: probability))
        return true
    }

    private static func kind(_ text: Substring) -> Kind? {
        if text == "reset" { return .reset }
        if let status = Int(text), (400...599).contains(status) { return .status(status) }
        guard text.hasPrefix("latency=") else { return nil }
        let duration = text.dropFirst("latency=".count)
        let (digits, unit) = duration.hasSuffix("ms") ? (duration.dropLast(2), 1) : (duration.dropLast(1), 1000)
        // A day is longer than anybody waits.
        guard duration.last == "s", let count = Int(digits), (0...86_400_000 / unit).contains(count) else { return nil }
        return .latency(.milliseconds(count * unit))
    }

    /// What befalls one request; nil for nothing.
    func draw() -> (delay: Duration?, response: Response?)? {
        var delay: Duration?
        for fault in faults where Double.random(in: 0..<1) < fault.probability {
            switch fault.kind {
            case .latency(let duration): delay = duration
            case .reset: return (delay, .reset)
            case .status(let status): return (delay, Self.response(status))
            }
        }
        return delay.map { ($0, nil) }
    }

    private static func response(_ status: Int) -> Response {
        let (code, message) =
            switch status {
            case 401: ("unauthorized", "Invalid API key")
            case 403: ("feature_not_enabled", "This feature is not enabled.")
            case 429: ("rate_limited", "Too many requests.")
            default: ("error", "The sandbox was asked to answer so.")
            }
        let headers = status == 429 || status == 503 ? [Field("Retry-After", "1")] : []
        return Response(Refusal(status, code, message, headers: headers))
    }
}
