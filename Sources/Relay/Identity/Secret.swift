/// A value that must never be seen. It has no description but `<secret>`, no reflection, no coding; whoever needs the
/// bytes says so.
package struct Secret: Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(_ text: String) {
        self.init(Array(text.utf8))
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The one way to the bytes; a search for it finds every place that uses a secret.
    package func reveal<Result>(_ body: ([UInt8]) throws -> Result) rethrows -> Result {
        try body(bytes)
    }

    /// Whether the secret begins so: kinds of keys are told apart by their public prefix.
    package func hasPrefix(_ prefix: StaticString) -> Bool {
        prefix.withUTF8Buffer { bytes.starts(with: $0) }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
