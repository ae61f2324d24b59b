import CCurl
import Relay

/// The one URL that an app's requests go to.
struct Endpoint: Sendable {
    let url: ParsedURL

    init(_ upstream: String, version: APIVersion) throws(AdaptyAPI.Settings.Mistake) {
        guard upstream.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A URL has no blanks and no control characters.")
        }
        guard let base = ParsedURL(upstream) else {
            throw AdaptyAPI.Settings.Mistake("upstream", "This is no URL; it should look like https://api.adapty.io.")
        }
        guard let scheme = base[CURLUPART_SCHEME], scheme == "https" || scheme == "http" else {
            throw AdaptyAPI.Settings.Mistake("upstream", "Only https and http are spoken.")
        }
        guard base[CURLUPART_USER] == nil, base[CURLUPART_PASSWORD] == nil else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A user or password does not belong here; see secret_key.")
        }
        guard base[CURLUPART_QUERY] == nil, base[CURLUPART_FRAGMENT] == nil else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A query or fragment does not belong here.")
        }
        var prefix = Substring(upstream)
        while prefix.hasSuffix("/") { prefix.removeLast() }
        // The slash at the end is part of the documented path. Without it a server may redirect, and a followed
        // redirect turns POST into GET.
        let path = "/api/\(version.rawValue)/server-side-api/integration/profile/set/integration-identifiers/"
        guard let url = ParsedURL(prefix + path) else {
            throw AdaptyAPI.Settings.Mistake("upstream", "Adapty's path cannot stand behind this.")
        }
        self.url = url
    }
}

/// The owner of a `CURLU`: a URL as libcurl's own parser understands it. What is checked in it is what is connected to,
/// and parsing it once instead of for each request saves a sixth of libcurl's work.
///
/// Unchecked: nobody writes it once it is made, and libcurl copies it for each request.
final class ParsedURL: @unchecked Sendable {
    let handle: OpaquePointer

    init?(_ text: some StringProtocol) {
        guard let handle = curl_url() else { return nil }
        // From here on `deinit` frees it, also when this fails.
        self.handle = handle
        guard curl_url_set(handle, CURLUPART_URL, String(text), 0) == CURLUE_OK else { return nil }
    }

    deinit {
        curl_url_cleanup(handle)
    }

    /// A part as it was written; nil where it is not there.
    subscript(part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
