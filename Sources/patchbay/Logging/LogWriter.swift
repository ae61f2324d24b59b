import Glibc
import Synchronization

/// Writes log lines to a descriptor from a thread of its own: a reader that is slow delays the log, not the requests.
final class LogWriter: @unchecked Sendable {
    // @unchecked: `lines`, `spare` and the flags are touched only with `mutex` held.
    /// Beyond this, lines are dropped and counted: a reader that is gone for good must not take the process with it.
    private static let mostBytes = 64 << 20

    /// So much at once is worth a write of its own.
    private static let enoughBytes = 64 << 10

    /// Memory beyond this is given back when its lines are written.
    private static let keptBytes = 1 << 20

    private let descriptor: Int32
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var lines: [UInt8] = []
    /// What the last write left: its memory serves for the next lines.
    private var spare: [UInt8] = []
    private var isWriting = false
    private var isWaiting = false
    private var dropped = 0

    init(descriptor: Int32) {
        self.descriptor = descriptor
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        var thread = pthread_t()
        // Retained for good: the log is written as long as the process lives.
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<LogWriter>.fromOpaque(context).takeUnretainedValue().run()
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    func write(_ line: UnsafeBufferPointer<UInt8>) {
        pthread_mutex_lock(mutex)
        if lines.count + line.count <= Self.mostBytes { lines.append(contentsOf: line) } else { dropped += 1 }
        if isWaiting {
            isWaiting = false
            pthread_cond_signal(condition)
        }
        pthread_mutex_unlock(mutex)
    }

    /// Returns when everything written so far has reached the descriptor, or after two seconds.
    func flush() {
        for _ in 0..<200 {
            pthread_mutex_lock(mutex)
            let isDone = lines.isEmpty && !isWriting
            pthread_mutex_unlock(mutex)
            if isDone { return }
            usleep(10_000)
        }
    }

    private func run() -> Never {
        while true {
            pthread_mutex_lock(mutex)
            isWriting = false
            while lines.isEmpty && dropped == 0 {
                isWaiting = true
                pthread_cond_wait(condition, mutex)
            }
            isWaiting = false
            isWriting = true
            var taken = exchange(&lines, with: exchange(&spare, with: []))
            let lost = exchange(&dropped, with: 0)
            pthread_mutex_unlock(mutex)
            put(taken)
            // Waking for each line cost more than the line: what comes in these milliseconds is written together.
            if taken.count < Self.enoughBytes { usleep(5000) }
            if taken.capacity <= Self.keptBytes {
                taken.removeAll(keepingCapacity: true)
                pthread_mutex_lock(mutex)
                spare = taken
                pthread_mutex_unlock(mutex)
            }
            if lost > 0 { put(Array("{\"level\":\"error\",\"message\":\"log lines lost\",\"count\":\(lost)}\n".utf8)) }
        }
    }

    private func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR && errno != EAGAIN {
                    // Nobody reads any more: there is nowhere left to say so.
                    return
                } else {
                    usleep(1000)
                }
            }
        }
    }
}

extension Slice where Base == UnsafeRawBufferPointer {
    fileprivate var baseAddress: UnsafeRawPointer? { base.baseAddress.map { $0 + startIndex } }
}
