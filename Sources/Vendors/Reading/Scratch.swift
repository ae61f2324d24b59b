import Synchronization

/// What reading one request needs and the next can use again: parsers, decoded parameters, the tables of findings.
///
/// Sendable unchecked: between `borrow` and its end exactly one thread has it, and the pool's lock orders one after the
/// other.
final class Scratch: @unchecked Sendable {
    let body = JSONParser()
    let bodyParameters = Parameters()
    let query = Parameters()
    let nested = NestedDocuments()
    /// Bytes that were taken out of an envelope.
    var unwrapped: [UInt8] = []

    /// One table each for the members of a batch, for what stands around them, and for the query.
    private var tables: UnsafeMutableBufferPointer<JSONValue?> = .allocate(capacity: 0)
    private var tableSize = 0

    deinit {
        tables.deallocate()
    }

    /// Makes the tables fit a vendor's places.
    func prepare(for tree: PlaceTree) {
        nested.rewind(to: 0)
        tableSize = tree.count
        guard tables.count < tableSize * 3 else { return }
        tables.deallocate()
        tables = .allocate(capacity: tableSize * 3)
        tables.initialize(repeating: nil)
    }

    var memberFindings: PlaceTree.Findings { .init(rebasing: tables[0..<tableSize]) }
    var envelopeFindings: PlaceTree.Findings { .init(rebasing: tables[tableSize..<(tableSize * 2)]) }
    var queryFindings: PlaceTree.Findings { .init(rebasing: tables[(tableSize * 2)..<(tableSize * 3)]) }

    var capacityBytes: Int {
        body.capacityBytes + bodyParameters.capacityBytes + query.capacityBytes + nested.capacityBytes
            + unwrapped.capacity
    }
}

/// Scratches that wait for their next request. As many as were ever in use at once, which is one a loop.
final class ScratchPool: Sendable {
    private let idle = Mutex<[Scratch]>([])

    /// One that grew beyond this is let go: a single huge payload must not be paid for ever after.
    private static let keptBytes = 2 << 20

    func borrow<Result, Failure: Error>(_ body: (Scratch) throws(Failure) -> Result) throws(Failure) -> Result {
        let scratch = idle.withLock { $0.popLast() } ?? Scratch()
        defer {
            if scratch.capacityBytes <= Self.keptBytes { idle.withLock { $0.append(scratch) } }
        }
        return try body(scratch)
    }
}
