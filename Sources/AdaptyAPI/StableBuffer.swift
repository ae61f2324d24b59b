/// Bytes that stay where they are while C reads them, in memory that the next request uses again. A Swift array's
/// address is good only inside a closure, and a transfer lasts longer.
struct StableBuffer: ~Copyable {
    private(set) var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit {
        start.deallocate()
    }

    mutating func removeAll() {
        count = 0
    }

    /// Moves when it grows: C is told of `start` after the last of these.
    mutating func append(_ bytes: some Collection<UInt8>) {
        reserve(bytes.count)
        _ = UnsafeMutableBufferPointer(start: start + count, count: capacity - count).initialize(fromContentsOf: bytes)
        count += bytes.count
    }

    /// Makes it a C string.
    mutating func terminate() {
        append(CollectionOfOne(0))
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.initialize(from: start, count: count)
        start.deallocate()
        start = moved
        capacity = larger
    }
}
