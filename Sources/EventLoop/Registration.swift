import CEvent
import Glibc

/// The owner of one libevent `event`. Only its loop's thread makes, changes and drops it; before the loop is started,
/// who made the loop.
///
/// libevent holds it unretained: `deinit` frees the event before the memory goes, so the callback cannot outlive it.
package class Registration {
    let loop: EventLoop
    private let handler: () -> Void
    private var event: OpaquePointer?

    fileprivate init(_ loop: EventLoop, descriptor: Int32, events: Int32, handler: @escaping () -> Void) {
        loop.preconditionIsCurrent()
        self.loop = loop
        self.handler = handler
        event = event_new(
            loop.base.pointer, descriptor, Int16(events),
            { _, _, context in
                guard let context else { return }
                // Retained while the handler runs: it may drop the registration.
                let registration = Unmanaged<Registration>.fromOpaque(context).takeUnretainedValue()
                withExtendedLifetime(registration) { registration.handler() }
            }, Unmanaged.passUnretained(self).toOpaque())
        // event_new fails only without memory, where nothing else would work either.
        precondition(event != nil, "event_new")
    }

    fileprivate func add(timeout: Duration? = nil) {
        guard let event else { return }
        if let timeout {
            // Rounded up to a millisecond: a timer that is early finds its deadline not passed and has to be set again.
            // Within what libevent can add to its clock: more than a century is for ever.
            let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(1 << 32)).components
            let milliseconds = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            var interval = timeval(
                tv_sec: Int(seconds) + Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
            event_add(event, &interval)
        } else {
            event_add(event, nil)
        }
    }

    fileprivate func remove() {
        guard let event else { return }
        event_del(event)
    }

    /// Ends it for good. Call before the descriptor is closed.
    package func cancel() {
        guard let event else { return }
        event_free(event)
        self.event = nil
    }

    deinit {
        if let event { event_free(event) }
    }
}

/// Calls back whenever a descriptor can be read, or written, until it is paused.
package final class SocketWatch: Registration {
    package enum Interest: Sendable {
        case read, write
    }

    private var isActive = false

    package init(_ loop: EventLoop, _ descriptor: Int32, _ interest: Interest, handler: @escaping () -> Void) {
        let events = (interest == .read ? EV_READ : EV_WRITE) | EV_PERSIST
        super.init(loop, descriptor: descriptor, events: events, handler: handler)
    }

    package func resume() {
        guard !isActive else { return }
        isActive = true
        add()
    }

    package func pause() {
        guard isActive else { return }
        isActive = false
        remove()
    }
}

/// Calls back once, a while after it was set.
package final class LoopTimer: Registration {
    package init(_ loop: EventLoop, handler: @escaping () -> Void) {
        super.init(loop, descriptor: -1, events: 0, handler: handler)
    }

    /// Sets it, or sets it anew. Never early; a duration that is not positive fires in the next turn.
    package func schedule(after duration: Duration) {
        add(timeout: duration)
    }

    package func unschedule() {
        remove()
    }
}

/// Calls back for each arrival of a signal. One loop of the process at most: libevent's signal handling is global.
package final class SignalWatch: Registration {
    package init(_ loop: EventLoop, _ signal: Int32, handler: @escaping () -> Void) {
        super.init(loop, descriptor: signal, events: EV_SIGNAL | EV_PERSIST, handler: handler)
        add()
    }
}
