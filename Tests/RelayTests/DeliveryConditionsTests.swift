import Relay
import Synchronization
import Testing

private final class Changes: DeliveryObserver {
    private let told = Mutex<[CircuitChange]>([])
    var all: [CircuitChange] { told.withLock { $0 } }
    func attempted(_ record: AttemptRecord) {}
    func changed(_ pipeline: Pipeline, to change: CircuitChange) { told.withLock { $0.append(change) } }
}

@Suite("Why an app is held back")
struct DeliveryConditionsTests {
    private let failure = Failure(status: 401, code: "unauthorized", message: "Invalid API key")
    private let changes = Changes()

    // Regression: an app whose key was mended by a reload stayed paused for everybody but its deliveries.
    @Test("is a matter of its present pipeline: with another one it is forgotten")
    func levels() {
        let conditions = DeliveryConditions(next: changes)
        let (old, other) = (Pipeline(app: "main"), Pipeline(app: "other"))
        conditions.adopt([old, other])
        conditions.changed(old, to: .paused(failure))
        conditions.changed(other, to: .opened(failure))
        #expect(conditions.isHeld("main") && conditions.paused == ["main"])
        let new = Pipeline(app: "main")
        conditions.adopt([new, other])
        #expect(!conditions.isHeld("main") && conditions.isHeld("other") && conditions.paused.isEmpty)
        // What the old one still says changes nothing, and nobody hears it.
        conditions.changed(old, to: .paused(failure))
        #expect(!conditions.isHeld("main") && changes.all.count == 2)
        conditions.changed(new, to: .paused(failure))
        conditions.changed(old, to: .closed)
        #expect(conditions.isHeld("main"))
        conditions.changed(new, to: .closed)
        #expect(!conditions.isHeld("main"))
        conditions.adopt([])
        #expect(conditions.held.isEmpty)
    }
}
