import Glibc

/// The ledger, and who may touch it: the store's thread, which holds it but for the time in which it waits for mail or
/// for the disk; and whoever finds it free in between, for a moment.
///
/// What merged but is not on the disk yet is in the ledger too, marked as uncommitted. So whoever looks while a commit
/// is under way leaves that alone.
final class SharedLedger: @unchecked Sendable {
    // @unchecked: `ledger` and `isClosed` are touched only by who holds the lock; the pointer never changes.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    /// For the store's thread, while it holds the lock.
    let ledger: Ledger
    /// The store has ended; what is in memory counts no more.
    var isClosed = false

    init(_ ledger: Ledger) {
        self.ledger = ledger
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    func hold() { pthread_mutex_lock(lock) }

    func release() { pthread_mutex_unlock(lock) }

    /// Lets others have it while something takes its time. For who holds it.
    func released<Result>(while body: () throws -> Result) rethrows -> Result {
        release()
        defer { hold() }
        return try body()
    }

    /// Another loop mostly has it for less than a microsecond; who has it for longer is not waited for.
    private static let tries = 32

    /// Nil where somebody else holds it: nobody waits here.
    func ifFree<Result>(_ body: (Ledger) -> Result?) -> Result? {
        var tries = 1
        while pthread_mutex_trylock(lock) != 0 {
            guard tries < Self.tries else { return nil }
            tries += 1
        }
        defer { release() }
        return isClosed ? nil : body(ledger)
    }
}
