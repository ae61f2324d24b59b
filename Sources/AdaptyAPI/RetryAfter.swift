import CCurl
import Relay

/// RFC 9110 section 10.2.3: `Retry-After` is a number of seconds or an HTTP-date.
enum RetryAfter {
    /// No upstream keeps us away for longer than this with one header; a mistake in it would cost days.
    static let longest = Duration.seconds(3600)

    /// - Returns: between zero and `longest`; nil for what is neither form.
    static func delay(_ text: String, now: Timestamp) -> Duration? {
        let text = text.trimmingBlanks
        guard let first = text.utf8.first else { return nil }
        if text.utf8.allSatisfy(\.isDigit) {
            // More digits than an Int64 holds are more than an hour.
            return min(Int64(text).map { .seconds($0) } ?? longest, longest)
        }
        // A date begins with the day's name, in all three forms of RFC 9110 section 5.6.7. curl_getdate reads them, and
        // much that is none.
        guard first.isLetterOrDigit, !first.isDigit else { return nil }
        let seconds = curl_getdate(String(text), nil)
        guard seconds >= 0 else { return nil }
        let (milliseconds, isOverflow) = Int64(seconds).multipliedReportingOverflow(by: 1000)
        guard !isOverflow else { return longest }
        return min(max(Timestamp(milliseconds: milliseconds) - now, .zero), longest)
    }
}
