import Glibc

/// The kernel's random numbers, taken for 16 requests at a time: a call for each would cost more than reading the
/// request.
struct BufferedRandom: RandomNumberGenerator {
    private var words: [UInt64] = []
    private var system = SystemRandomNumberGenerator()

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        // 256 bytes are the most that getentropy(3) gives at once.
        words.append(contentsOf: repeatElement(0, count: 32))
        let filled = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) == 0 }
        guard filled else {
            words.removeAll(keepingCapacity: true)
            return system.next()
        }
        return words.removeLast()
    }
}
