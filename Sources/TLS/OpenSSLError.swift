import CTLS
import Glibc

/// What OpenSSL says of the call that failed last on this thread. Its queue has to be cleared before each call
/// (SSL_get_error(3)): what another connection left there would be taken for this one's.
struct OpenSSLError: Error, CustomStringConvertible {
    let library: Int32
    let reason: Int32
    /// `key values mismatch`, or the system's words.
    let words: String
    var description: String { "OpenSSL: \(words)" }

    /// Takes the oldest error, which is the nearest to the cause, and forgets the others.
    init() {
        let code = ERR_get_error()
        library = ERR_GET_LIB(code)
        reason = ERR_GET_REASON(code)
        if code == 0 {
            words = "no reason given"
        } else if let text = ERR_reason_error_string(code) {
            words = String(cString: text)
        } else {
            words = String(cString: strerror(reason))
        }
        ERR_clear_error()
    }
}
