import EventLoop
import Synchronization
import Testing

/// Holds a loop up until it is released: it then meets in one round all that came meanwhile.
final class HeldLoop: Sendable {
    private let isHeld = Mutex(false)
    private let isReleased = Mutex(false)

    init(_ loop: EventLoop) {
        loop.execute { [self] in
            isHeld.withLock { $0 = true }
            while !isReleased.withLock({ $0 }) {}
        }
        #expect(eventually { isHeld.withLock { $0 } })
    }

    func release() {
        isReleased.withLock { $0 = true }
    }
}
