import CCurl

/// A failed call of libcurl: the call, the code and libcurl's words.
struct CurlError: Error, Sendable, Equatable, CustomStringConvertible {
    let call: String
    let code: UInt32
    let words: String

    init(_ call: String, _ code: CURLcode) {
        self.call = call
        self.code = code.rawValue
        words = String(cString: curl_easy_strerror(code))
    }

    init(_ call: String, _ code: CURLMcode) {
        self.call = call
        self.code = UInt32(bitPattern: code.rawValue)
        words = String(cString: curl_multi_strerror(code))
    }

    var description: String { "\(call): \(code) \(words)" }
}

/// libcurl's global state.
enum CurlLibrary {
    /// libcurl wants this before any handle, and once. A static is made once, by whichever thread asks first.
    static let initialization = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    static func initialize() throws(CurlError) {
        guard initialization == CURLE_OK else { throw CurlError("curl_global_init", initialization) }
    }
}
