/// What to look at, for whoever runs the node and wonders why a vendor is refused. Says nothing that is not in the
/// record.
struct RejectionHint {
    let kind: RejectionKind
    private let request: RefusedRequest
    let evidence: Evidence
    /// Where the credential is expected.
    private let place: String

    init(_ kind: RejectionKind, _ request: RefusedRequest, place: String?) {
        self.kind = kind
        self.request = request
        self.place = place ?? (kind.route.hasPrefix("/hooks/") ? "the credential" : "Authorization: Api-Key KEY")
        evidence = request.evidence
    }

    var sentence: String {
        if kind.code == "unauthorized", let words = appCheck ?? token { return words }
        if let skew = evidence.skew, let tolerance = evidence.tolerance, skew > tolerance || skew < .zero - tolerance {
            return clock(skew, tolerance)
        }
        switch kind.code {
        case RejectionKind.skippedCode: return skipped
        case "unauthorized": return credential
        case "rate_limited":
            return "More requests than limits allow (\(kind.cause)): raise it if this is wanted traffic."
        case "forbidden" where kind.cause == Refusal.originNotAllowedCause:
            return
                "A page of an origin that is not listed: does origins of the client key (or cors of the source) have "
                + "it as browsers write it?"
        case "not_found":
            return "There is no such path here: compare the URL at the sender with the names of the sources."
        case "unavailable" where kind.cause == Refusal.disabledCause:
            return "The configuration says enabled: false here: the sender was told to come again."
        case "unavailable":
            return "This is our own fault, not the sender's (\(request.detail)): it was told to come again."
        case "payload_too_large":
            return "The body is longer than limits.body_bytes allows, or at a client route limits.client_body_bytes."
        case "request_timeout": return "The sender is slower than deadlines allow, or never sent what it announced."
        default: return told
        }
    }

    /// It was answered 2xx, and nothing came of it.
    private var skipped: String {
        let keys = request.keys.isEmpty ? "" : " The payload's keys are \(request.keys.joined(separator: ", "))."
        switch kind.cause {
        case Skip.Reason.noIdentifier.rawValue:
            return "No id that Adapty could use was found (\(request.detail)).\(keys)"
        case Skip.Reason.noProfile.rawValue:
            return "It names nobody: neither a customer user id nor a profile id was found.\(keys)"
        default:
            return "Understood, and of no use: \(request.detail).\(keys)"
        }
    }

    private var told: String {
        if kind.status < 400 {
            return "It was answered \(kind.status), because a refusal would be repeated or stop the sender: "
                + request.message
        }
        return request.message.isEmpty
            ? "The answer's error_code says why." : "The sender was told: \(request.message)"
    }

    private var credential: String {
        switch kind.cause {
        case "no_credential":
            return "No credential at all: is \(place) set at the sender?"
        case "malformed_credential":
            return
                "There is a credential in another form than expected: is \(place) complete, and sent once?"
        case "no_scheme":
            return "This source has no way to prove itself in the configuration."
        case "wrong_signature":
            return "The signature is not what a configured secret makes of this body: another secret is set at the "
                + "sender, or something between changes bodies (compare the SHA-256)."
        case "wrong_address":
            return "The sender's address is not among those allowed: behind a proxy, is that in trusted_proxies?"
        case "profile_token_required":
            return "This app's clients must carry a profile token, and this one carries a client key."
        default:
            return secret
        }
    }

    private var secret: String {
        guard let presented = evidence.presentedBytes, !evidence.expectedBytes.isEmpty else {
            return "The credential is not one of those configured: was it changed on one side only?"
        }
        let expected = evidence.expectedBytes
        if expected.contains(presented) {
            return
                "The credential is another of the right length, \(presented) bytes: was it changed on one side only?"
        }
        let lengths = Set(expected).sorted().map(String.init).joined(separator: " or ")
        let reason =
            expected.contains(presented - 1) || expected.contains(presented - 2)
            ? "a blank, a quote or a line's end was copied along, or another secret is set at the sender."
            : "another secret is set at the sender."
        return "The credential is \(presented) bytes long, configured ones are \(lengths): \(reason)"
    }

    private func clock(_ skew: Duration, _ tolerance: Duration) -> String {
        let isAhead = skew > .zero
        return
            "The sender's time is \((isAhead ? skew : .zero - skew).inWords) \(isAhead ? "ahead of" : "behind") ours, "
            + "\(tolerance.inWords) are tolerated: set its clock"
            + (isAhead ? "." : ", or it repeats a request with its first signature.")
    }
}

extension Duration {
    /// In the largest unit of which there are at least two.
    var inWords: String {
        let seconds = components.seconds
        for (unit, length) in [("days", 86400), ("hours", 3600), ("minutes", 60)] as [(String, Int64)]
        where seconds >= 2 * length {
            return "\(seconds / length) \(unit)"
        }
        return seconds == 1 ? "1 second" : "\(seconds) seconds"
    }
}
