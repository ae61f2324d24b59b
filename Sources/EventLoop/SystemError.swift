import Glibc

/// A failed call of the system or of a C library: the call, the code and the words.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    package let call: String
    package let code: Int32

    /// - Parameter code: `errno` unless given.
    package init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package var description: String { "\(call): \(code) \(String(cString: strerror(code)))" }
}
