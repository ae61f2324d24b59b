extension RejectionHint {
    /// What to look at where a client key is right and the App Check token beside it is not; nil where something else
    /// was refused.
    var appCheck: String? {
        guard kind.cause.hasPrefix(Self.prefix) else { return nil }
        switch kind.cause.dropFirst(Self.prefix.count) {
        case "missing":
            return "The key is right, and there is no X-Firebase-AppCheck beside it: an app from before app_check was "
                + "set, or somebody who has taken the key out of one."
        case "repeated":
            return "X-Firebase-AppCheck stands there more than once: what adds it a second time?"
        case "token_expired":
            return
                "The App Check token expired\(distance.map { " \($0) ago" } ?? ""): does the app ask the SDK for one "
                + "before each request, instead of keeping it?"
        case "token_not_yet_valid":
            return
                "The App Check token is not valid yet\(distance.map { ", but in \($0)" } ?? ""): is our clock behind?"
        case "wrong_issuer", "wrong_audience":
            return "The App Check token is of another Firebase project than app_check.project says."
        case "unknown_key", "wrong_signature":
            return "No key of Firebase's made the App Check token: it is forged, or jwks names another's keys."
        case "algorithm_not_allowed":
            return "The App Check token is not signed with RS256, as Firebase's are: it is forged, or something else."
        default:
            return "What stands in X-Firebase-AppCheck is no token of Firebase's: was it cut, or is it something else?"
        }
    }

    private static let prefix = "app_check_"
}
