/// What a genuine credential proves beside who sent a request.
package struct Proof: Sendable, Equatable {
    /// Which of several secrets it was made with: its place in the configured list, from 1. Nil where there is no list.
    package var place: Int?
    /// The message that was signed. Nil where nothing is signed, or no time is.
    package var message: SignedMessage?

    package init() {}
}

/// A message whose signature covers when it was signed. A class: it goes with the request through every stage, and most
/// requests have none.
package final class SignedMessage: Sendable, Equatable {
    /// When its sender signed it: the time of what it says, where that has none of its own.
    package let time: Timestamp
    /// Equal only of the same message, also where its sender signed it anew to repeat it.
    package let id: MessageDigest
    /// How far its time may be from ours.
    package let tolerance: Duration

    package init(time: Timestamp, id: MessageDigest, tolerance: Duration) {
        self.time = time
        self.id = id
        self.tolerance = tolerance
    }

    package static func == (left: SignedMessage, right: SignedMessage) -> Bool {
        left.time == right.time && left.id == right.id && left.tolerance == right.tolerance
    }
}

/// The first half of a SHA-256.
package struct MessageDigest: Sendable, Hashable {
    private let words: (UInt64, UInt64)

    /// - Parameter bytes: 16 or more, of which the first 16 count.
    package init(_ bytes: some Sequence<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        for (index, byte) in bytes.prefix(16).enumerated() {
            if index < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        self.words = words
    }

    package static func == (left: MessageDigest, right: MessageDigest) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}
