import Glibc

/// A lock and a condition over one value: what a thread of our own waits on. Deadlines are on the monotonic clock,
/// which no administrator sets.
final class Condition<Value>: @unchecked Sendable {
    // @unchecked: `value` is touched only under the lock; the pointers never change.
    private var value: Value
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// What the thread that waits waits for; nil where none does.
    private var awaited: ((Value) -> Bool)?

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    /// Nobody holds a reference any more, so nobody waits and nobody holds the lock.
    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(lock)
        condition.deallocate()
        lock.deallocate()
    }

    /// Changes the value, and wakes the thread that waits if it is what that waits for.
    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(lock)
        let result = body(&value)
        let mustWake = awaited?(value) ?? false
        if mustWake { awaited = nil }
        pthread_mutex_unlock(lock)
        if mustWake { pthread_cond_signal(condition) }
        return result
    }

    /// Waits until the value is ready, or for so long; then takes of it what the caller wants. One thread at a time.
    /// - Parameter patience: nil for ever.
    func wait<Result>(
        for patience: Duration?, until isReady: @escaping (Value) -> Bool, take: (inout Value) -> Result
    ) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        var deadline = timespec()
        if let patience {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            // More than a century is for ever, and within what a deadline can hold.
            let (seconds, attoseconds) = min(max(patience, .zero), .seconds(1 << 32)).components
            deadline.tv_nsec += Int(attoseconds / 1_000_000_000)
            deadline.tv_sec += Int(seconds) + deadline.tv_nsec / 1_000_000_000
            deadline.tv_nsec %= 1_000_000_000
        }
        while !isReady(value) {
            awaited = isReady
            if patience != nil {
                if pthread_cond_timedwait(condition, lock, &deadline) == ETIMEDOUT { break }
            } else {
                pthread_cond_wait(condition, lock)
            }
        }
        awaited = nil
        return take(&value)
    }
}
