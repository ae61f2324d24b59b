import CCurl
import Relay

/// The one URL that an app's requests go to.
struct Endpoint: Sendable, Equatable {
    let url: String

    /// Read with libcurl's own parser: what is checked here is what will be connected to.
    init(_ upstream: String, version: APIVersion) throws(AdaptyAPI.Settings.Mistake) {
        guard upstream.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A URL has no blanks and no control characters.")
        }
        let parts = URLParts()
        guard parts.parse(upstream) else {
            throw AdaptyAPI.Settings.Mistake("upstream", "This is no URL; it should look like https://api.adapty.io.")
        }
        guard let scheme = parts[CURLUPART_SCHEME], scheme == "https" || scheme == "http" else {
            throw AdaptyAPI.Settings.Mistake("upstream", "Only https and http are spoken.")
        }
        guard parts[CURLUPART_USER] == nil, parts[CURLUPART_PASSWORD] == nil else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A user or password does not belong here; see secret_key.")
        }
        guard parts[CURLUPART_QUERY] == nil, parts[CURLUPART_FRAGMENT] == nil else {
            throw AdaptyAPI.Settings.Mistake("upstream", "A query or fragment does not belong here.")
        }
        var base = Substring(upstream)
        while base.hasSuffix("/") { base.removeLast() }
        // The slash at the end is part of the documented path. Without it a server may redirect, and a followed
        // redirect turns POST into GET.
        url = "\(base)/api/\(version.rawValue)/server-side-api/integration/profile/set/integration-identifiers/"
    }
}

/// The owner of a `CURLU`.
private struct URLParts: ~Copyable {
    private let handle = curl_url()

    deinit {
        curl_url_cleanup(handle)
    }

    /// False also where there was no memory for a handle.
    func parse(_ url: String) -> Bool {
        handle != nil && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK
    }

    subscript(part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
