extension RejectionHint {
    /// What to look at where a profile token is not believed; nil where something else was refused.
    var token: String? {
        switch kind.cause {
        case "token_expired":
            return "The token expired\(distance.map { " \($0) ago" } ?? ""): does the client fetch a new one in time, "
                + "and is the issuer's clock right?"
        case "token_not_yet_valid":
            return "The token is not valid yet\(distance.map { ", but in \($0)" } ?? ""): is the issuer's clock ahead, "
                + "or ours behind?"
        case "wrong_audience":
            return
                "The token's aud is none of the issuer's audience in profile_tokens: it was made for another service."
        case "wrong_issuer":
            return
                "The token's iss and algorithm are those of no issuer in profile_tokens: compare them with the token."
        case "unknown_key" where evidence.presentedBytes == nil:
            return "The issuer has no key \(evidence.keyID.map { "\"\($0)\"" } ?? "for the token's algorithm") here: "
                + "was it rotated, and is the new one in key or jwks?"
        case "wrong_signature" where !kind.route.hasPrefix("/hooks/"):
            return
                "No key of the issuer made the token's signature: was the key changed on one side only, or the token "
                + "cut?"
        case "algorithm_not_allowed":
            return
                "The token is signed in a way that no issuer in profile_tokens lists under algorithms, or not at all."
        case "malformed_token":
            return "It is no whole token of three parts: was it cut, or is something else sent after Bearer?"
        case "token_too_long":
            return "The token is longer than any that is read, 8192 bytes: its issuer must put less into it."
        case "critical_header":
            return "The token's crit asks for an extension that is not known here: its issuer must leave that out."
        case "no_expiry":
            return "The token has no exp, and one that never ends is not accepted: its issuer must set it."
        case "bad_time":
            return "A time of the token (exp, nbf or iat) is no number of seconds: its issuer must mend that."
        case "no_profile":
            return "The token lacks the claims that customer_user_id and profile_id in profile_tokens name."
        case "bad_profile":
            return "The token's claim with the profile's id holds what cannot be one: what does its issuer write?"
        default: return nil
        }
    }

    /// How far the token's time is from ours.
    var distance: String? {
        evidence.skew.map { ($0 > .zero ? $0 : .zero - $0).inWords }
    }
}
