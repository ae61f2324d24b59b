import Glibc

/// Bytes that grow at their end, in memory of their own: what answers, bodies, rows and log lines are written into. An
/// array asks with each byte who else holds it, and that was most of what a log line cost.
package struct ByteText: ~Copyable, @unchecked Sendable {
    // @unchecked: nobody else has the pointer.
    /// Stays where it is until something is appended: C is told of it after the last of that. An array's address is
    /// good only inside a closure, and C may read for longer.
    package private(set) var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0

    package init(reserving capacity: Int) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit {
        start.deallocate()
    }

    /// Forgets what was written and keeps the memory.
    package mutating func removeAll() { count = 0 }

    /// A copy of what was written.
    package var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        body(UnsafeBufferPointer(start: start, count: count))
    }

    /// Room for so many more bytes, which are written there and then counted.
    @inline(__always)
    private mutating func room(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if count + more > capacity { grow(more) }
        return start + count
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(capacity * 2, count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.initialize(from: start, count: count)
        start.deallocate()
        start = moved
        capacity = larger
    }

    // MARK: Bytes and texts

    package mutating func append(_ byte: UInt8) {
        room(1).initialize(to: byte)
        count += 1
    }

    package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return }
        memcpy(room(bytes.count), base, bytes.count)
        count += bytes.count
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    package mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func append(_ text: String) {
        text.withBytes { append($0) }
    }

    /// `"name":`
    package mutating func append(key name: StaticString) {
        let length = name.utf8CodeUnitCount
        let place = room(length + 3)
        place[0] = UInt8(ascii: "\"")
        memcpy(place + 1, name.utf8Start, length)
        place[length + 1] = UInt8(ascii: "\"")
        place[length + 2] = UInt8(ascii: ":")
        count += length + 3
    }

    /// What was written from a place on, to be looked at and changed.
    package mutating func mutateBytes(from place: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Void) {
        body(UnsafeMutableBufferPointer(start: start + place, count: count - place))
    }

    // MARK: Numbers

    /// Digits, with zeros in front up to a width.
    package mutating func append(decimal value: UInt64, width: Int = 1) {
        if value < 10, width == 1 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
        // The largest has 20.
        let end = max(width, 20)
        let place = room(end)
        var first = end
        var rest = value
        while rest > 0 || end - first < width {
            first -= 1
            place[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        memmove(place, place + first, end - first)
        count += end - first
    }

    /// Exactly two digits: the parts of dates and times.
    package mutating func append(twoDigits value: Int) {
        let place = room(2)
        place[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10 % 10)
        place[1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
        count += 2
    }

    /// 36 characters in lower case.
    package mutating func append(_ id: UniqueID) {
        id.write(to: UnsafeMutableRawPointer(room(UniqueID.textBytes)))
        count += UniqueID.textBytes
    }
}

extension String {
    /// Calls with the text's UTF-8 where it is: nothing is copied of texts that are Swift's own.
    @inlinable
    package func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
        var copy = self
        return copy.withUTF8(body)
    }
}
