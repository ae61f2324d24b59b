import Relay

/// Answers that one round of events came to, one behind the other in one piece of memory that the next round uses
/// again.
struct AnswerQueue: ~Copyable {
    /// More than this is not kept for the next round.
    private static let keptBytes = 1 << 20

    private var text: ByteText
    private var places: [(connection: Connection, end: Int)] = []

    init() {
        text = ByteText(reserving: 16384)
    }

    var isEmpty: Bool { places.isEmpty }
    var count: Int { places.count }

    mutating func append(of connection: Connection, _ write: (inout ByteText) -> Void) {
        write(&text)
        places.append((connection, text.count))
    }

    /// Calls with each answer in the order in which they came.
    func forEach(_ body: (Connection, UnsafeRawBufferPointer) -> Void) {
        text.withBytes { bytes in
            var start = 0
            for (connection, end) in places {
                body(connection, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<end]))
                start = end
            }
        }
    }

    /// Forgets them.
    mutating func removeAll() {
        places.removeAll(keepingCapacity: true)
        if text.count > Self.keptBytes { text = ByteText(reserving: 16384) } else { text.removeAll() }
    }
}
